"""Signing keys: the first signs, all are published, a new file is taken up without a restart."""

import json
import os

import pytest
from joserfc.jwk import ECKey, RSAKey

from gateway.keys import KeyRing, SigningKeysUnusable
from servicekit.auth import TokenVerifier
from tests.gateway.conftest import running_gateway, write_keys
from tests.gateway.test_sessions import me


def touch(path) -> None:
    """Make a change visible whatever the clock's grain."""
    stat = path.stat()
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1_000_000_000))


class TestKeyRing:
    def test_the_first_signs_and_all_are_published_without_their_private_part(self, tmp_path):
        path = tmp_path / "keys.json"
        write_keys(path, "new", "old")
        ring = KeyRing(path)
        assert ring.signing.kid == "new"
        published = ring.published["keys"]
        assert [key["kid"] for key in published] == ["new", "old"]
        assert all(set(key) == {"kty", "crv", "x", "y", "kid", "use", "alg"} for key in published)

    def test_a_changed_file_is_taken_up(self, tmp_path):
        path = tmp_path / "keys.json"
        write_keys(path, "old")
        ring = KeyRing(path)
        assert not ring.reload()
        write_keys(path, "new", "old")
        touch(path)
        assert ring.reload()
        assert ring.signing.kid == "new"

    @pytest.mark.parametrize("content", ["", "[]", '{"keys": []}', '{"keys": [{"kty": "EC"}]}'])
    def test_a_damaged_file_leaves_the_old_keys(self, tmp_path, content):
        path = tmp_path / "keys.json"
        write_keys(path, "old")
        ring = KeyRing(path)
        path.write_text(content)
        touch(path)
        assert not ring.reload()
        assert ring.signing.kid == "old"

    def keys(self) -> dict[str, list[dict]]:
        private = ECKey.generate_key("P-256", {"kid": "k"}, private=True)
        return {
            "none": [],
            "public": [dict(private.as_dict(private=False))],
            "nameless": [
                {
                    name: value
                    for name, value in private.as_dict(private=True).items()
                    if name != "kid"
                }
            ],
            "twice": [dict(private.as_dict(private=True))] * 2,
            "curve": [
                dict(ECKey.generate_key("P-384", {"kid": "k"}, private=True).as_dict(private=True))
            ],
            "kind": [
                dict(RSAKey.generate_key(2048, {"kid": "k"}, private=True).as_dict(private=True))
            ],
        }

    @pytest.mark.parametrize("case", ["none", "public", "nameless", "twice", "curve", "kind"])
    def test_the_start_fails_on_unusable_keys(self, tmp_path, case):
        path = tmp_path / "keys.json"
        path.write_text(json.dumps({"keys": self.keys()[case]}))
        with pytest.raises(SigningKeysUnusable):
            KeyRing(path)

    def test_the_start_fails_without_a_file(self, tmp_path):
        with pytest.raises(SigningKeysUnusable):
            KeyRing(tmp_path / "absent.json")


class TestPublished:
    async def test_services_can_verify_with_what_is_published(self, gateway):
        tokens = await gateway.sign_in()
        answer = await gateway.client.get("/.well-known/jwks.json")
        assert answer.status_code == 200
        ring = gateway.app.state.identity.keys
        assert answer.json() == ring.published
        assert "d" not in answer.json()["keys"][0]
        caller = await TokenVerifier(ring).verify(tokens["access_token"])
        assert str(caller.account_id) == tokens["account"]["id"]

    async def test_tokens_of_the_old_key_hold_while_it_is_published(self, gateway, tmp_path):
        path = tmp_path / "keys.json"
        old = write_keys(path, "old")
        async for own in running_gateway(
            gateway.at, gateway.issuer, tmp_path, signing_keys_file=path
        ):
            tokens = await own.sign_in()
            new = ECKey.generate_key("P-256", {"kid": "new"}, private=True)
            keys = [key.as_dict(private=True) for key in (new, *old)]
            path.write_text(json.dumps({"keys": keys}))
            touch(path)
            assert own.app.state.identity.keys.reload()
            assert (await me(own, tokens))[0] == 200
            refreshed = await own.client.post(
                "/v1/tokens/refresh", json={"refresh_token": tokens["refresh_token"]}
            )
            assert (await me(own, refreshed.json()))[0] == 200
