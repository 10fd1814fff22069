"""Whose bundles are run: signatures over manifests, and no way back to an older one."""
