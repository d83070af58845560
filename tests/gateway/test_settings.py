"""Settings that must not start, and the shape of those that may."""

import pytest
from pydantic import ValidationError

from gateway.limits import Rate, RateClass
from gateway.settings import GatewaySettings
from servicekit.settings import UnknownSetting
from tests.gateway.conftest import gateway_settings

DSN = "postgresql://gateway:x@127.0.0.1:9/gateway"
PRODUCTION = {
    "environment": "production",
    "sms_provider": "http",
    "sms_url": "https://sms.test/send",
    "sms_secret": "s",
    "development_outbox": None,
    "public_url": "https://yichuang.test",
}


class TestProduction:
    def test_starts_with_a_real_provider(self, tmp_path):
        assert gateway_settings(DSN, tmp_path, **PRODUCTION).is_public_https

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"sms_provider": "development"}, "development SMS provider"),
            ({"development_outbox": "codes.jsonl"}, "development_outbox"),
            ({"sms_url": ""}, "sms_url"),
            ({"sms_secret": ""}, "sms_secret"),
            ({"data_keys": {}}, "data_keys"),
            ({"blind_index_key": ""}, "blind_index_key"),
        ],
    )
    def test_refuses_what_belongs_to_development(self, tmp_path, changes, reason):
        with pytest.raises(ValidationError, match=reason):
            gateway_settings(DSN, tmp_path, **(PRODUCTION | changes))


class TestRateLimits:
    def test_are_written_as_rate_and_burst(self, tmp_path):
        settings = gateway_settings(DSN, tmp_path, rate_limits={"read": "5/20"})
        assert settings.rate_limits == {RateClass.read: Rate(5.0, 20)}

    @pytest.mark.parametrize("rate", ["5", "0/5", "5/0", "-1/5", "many/5", "5/1.5"])
    def test_other_words_are_refused(self, tmp_path, rate):
        with pytest.raises(ValidationError):
            gateway_settings(DSN, tmp_path, rate_limits={"read": rate})

    def test_unknown_classes_are_refused(self, tmp_path):
        with pytest.raises(ValidationError):
            gateway_settings(DSN, tmp_path, rate_limits={"everything": "5/20"})


class TestEnvironment:
    def test_is_read_with_our_prefix(self, tmp_path, monkeypatch):
        values = gateway_settings(DSN, tmp_path)
        for name in (
            "environment",
            "public_url",
            "sms_provider",
            "oidc_issuer",
            "oidc_client_id",
            "oidc_redirect_uri",
            "signing_keys_file",
            "data_key_id",
            *(f"{service}_url" for service in ("catalogue", "requests", "facilities")),
            *(f"{service}_url" for service in ("evaluation", "exchange")),
        ):
            monkeypatch.setenv(f"GATEWAY_{name.upper()}", str(getattr(values, name)))
        monkeypatch.setenv("GATEWAY_DATABASE_URL", DSN)
        monkeypatch.setenv("GATEWAY_OIDC_CLIENT_SECRET", "s")
        monkeypatch.setenv("GATEWAY_BLIND_INDEX_KEY", "aQ==")
        monkeypatch.setenv("GATEWAY_DATA_KEYS", '{"test": "ZA=="}')
        monkeypatch.setenv("GATEWAY_RATE_LIMITS", '{"code": "1/5"}')
        monkeypatch.setenv("GATEWAY_TRUSTED_PROXIES", '["10.0.0.0/8"]')
        settings = GatewaySettings.load()
        assert isinstance(settings, GatewaySettings)
        assert settings.rate_limits[RateClass.code] == Rate(1.0, 5)
        assert str(settings.trusted_proxies[0]) == "10.0.0.0/8"
        monkeypatch.setenv("GATEWAY_TYPO", "1")
        with pytest.raises(UnknownSetting, match="GATEWAY_TYPO"):
            GatewaySettings.load()
