import pytest

from servicekit.settings import UnknownSetting, UnusableSettings
from tests.servicekit.sample.settings import SampleSettings

SECRET = "c2VjcmV0IG9mIHRoZSB3aG9sZSBjb3VudHk="


@pytest.fixture
def complete(monkeypatch):
    monkeypatch.setenv("SAMPLE_ENVIRONMENT", "production")
    monkeypatch.setenv("SAMPLE_DATABASE_URL", f"postgresql://sample:{SECRET}@localhost/sample")
    monkeypatch.setenv("SAMPLE_JWKS_URL", "http://gateway:8000/.well-known/jwks.json")
    monkeypatch.setenv("SAMPLE_DATA_KEYS", f'{{"first": "{SECRET}"}}')


def test_complete_settings_are_read(complete):
    settings = SampleSettings.load()
    assert SECRET in settings.dsn
    assert SECRET not in repr(settings)


def test_every_missing_setting_is_named_and_no_value_shown(complete, monkeypatch):
    monkeypatch.delenv("SAMPLE_JWKS_URL")
    monkeypatch.setenv("SAMPLE_POOL_SIZE", "1")
    with pytest.raises(UnusableSettings) as refused:
        SampleSettings.load()
    said = str(refused.value)
    assert "SAMPLE_JWKS_URL: Field required" in said
    assert "SAMPLE_POOL_SIZE: Input should be greater" in said
    assert SECRET not in said


def test_malformed_json_is_named_and_not_shown(complete, monkeypatch):
    monkeypatch.setenv("SAMPLE_DATA_KEYS", f'{{"first": "{SECRET}')
    with pytest.raises(UnusableSettings, match="data_keys") as refused:
        SampleSettings.load()
    assert SECRET not in str(refused.value)


def test_a_variable_that_is_no_setting_stops_the_start(complete, monkeypatch):
    monkeypatch.setenv("SAMPLE_DATABSE_URL", "a typing error")
    with pytest.raises(UnknownSetting, match="SAMPLE_DATABSE_URL"):
        SampleSettings.load()
