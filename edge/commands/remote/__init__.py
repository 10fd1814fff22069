"""Asking a gateway how it stands, and having it do something: on this machine or through the broker."""
