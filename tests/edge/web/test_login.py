"""Who may see the page: the password, links that lead through it, a proxy in front."""

from urllib.parse import quote

import pytest

from tests.helpers.page import EPISODE, Page, guarded, page

__all__ = ["guarded", "page"]  # fixtures


def login(page: Page, password: str, **headers: str) -> tuple[int, str]:
    status, found, _ = page.open("/login", f"password={password}".encode(), **headers)
    return status, found.get("location", "")


class TestPassword:
    """Beyond loopback there is a password."""

    @pytest.mark.parametrize("path", ["/api/overview", "/api/episodes", "/live", f"/episode/{EPISODE}.png", "/"])
    def test_nothing_is_shown_without_it(self, guarded, path):
        status, _, body = guarded.open(path)

        assert status in (303, 401)
        assert b"devices" not in body

    def test_the_right_one_opens_the_page_and_a_log_out_closes_it(self, guarded):
        assert login(guarded, "correct+horse") == (303, "/")
        token = guarded.get("/api/session")["token"]
        assert guarded.get("/api/overview")["broker"]["there"]

        guarded.open("/logout", b"", x_offbeat_token=token)
        assert guarded.open("/api/overview")[0] == 401

    def test_a_wrong_one_does_not_and_tries_are_few(self, guarded):
        found = [login(guarded, f"wrong{number}")[1] for number in range(7)]

        assert found[:5] == ["/login?wrong"] * 5
        assert found[5:] == ["/login?wait"] * 2
        assert login(guarded, "correct+horse")[1] == "/login?wait"

    def test_another_site_s_form_is_refused(self, guarded):
        assert login(guarded, "correct+horse", Origin="https://evil.example")[0] == 403

    def test_a_cookie_is_for_this_page_alone(self, guarded):
        _, headers, _ = guarded.open("/login", b"password=correct+horse")

        assert "HttpOnly" in headers["set-cookie"]
        assert "SameSite=Strict" in headers["set-cookie"]

    @pytest.mark.parametrize(
        "path", ["/stream/gw-1/pump1", f"/episode/{EPISODE}", f"/episode/{EPISODE}.png?scheme=dark"]
    )
    def test_a_link_leads_where_it_says_once_the_password_was_given(self, guarded, path):
        _, headers, _ = guarded.open(path)
        form = headers["location"]
        assert form.startswith("/login?next=")

        _, headers, _ = guarded.open(form, b"password=wrong")
        again = headers["location"]
        _, headers, _ = guarded.open(again, b"password=correct+horse")
        assert (again.startswith("/login?wrong&next="), headers["location"]) == (True, path)
        assert guarded.open(form)[1]["location"] == path, "who is known already goes on"

    @pytest.mark.parametrize(
        "elsewhere", ["https://evil.example/", "//evil.example/", "/\\evil.example", "/logout", ""]
    )
    def test_nobody_is_led_elsewhere(self, guarded, elsewhere):
        _, headers, _ = guarded.open(f"/login?next={quote(elsewhere)}", b"password=correct+horse")

        assert headers["location"] == "/"

    def test_a_browser_s_word_counts_where_a_proxy_changes_the_name(self, guarded):
        ours = {"Origin": "https://pumps.example.org:8443", "Sec_Fetch_Site": "same-origin"}
        assert login(guarded, "correct+horse", **ours) == (303, "/")
        for site in ("cross-site", "same-site"):
            assert login(guarded, "correct+horse", **{**ours, "Sec_Fetch_Site": site})[0] == 403

    def test_the_browser_says_of_the_form_where_it_came_from(self, guarded):
        assert guarded.open("/login")[1]["referrer-policy"] == "same-origin", "with no-referrer Origin would be null"


class TestBehindAProxy:
    """`--web-behind-proxy`: a proxy on this machine ends TLS and sends on the name that people know."""

    @pytest.fixture
    def proxied(self, broker):
        one = Page(broker, None, behind_proxy=True)
        yield one
        one.stop()

    def test_its_name_is_taken_and_the_cookie_is_for_https_alone(self, proxied):
        status, headers, body = proxied.open("/", Host="pumps.example.org", X_Forwarded_Proto="https")

        assert (status, headers["set-cookie"].endswith("; Secure")) == (200, True)
        assert b"<html" in body

    def test_without_it_that_name_is_refused_and_the_cookie_is_sent_over_http(self, page):
        status, headers, _ = page.open("/", Host="pumps.example.org")

        assert (status, "Secure" in headers["set-cookie"]) == (421, False)
