"""One environment for each partition, with what its region and its commands need."""

import tomllib

import pytest

from .conftest import ROOT

CONFIG = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("environment", "china"), [("aws", False), ("cn", True)])
def test_each_partition_has_an_environment_in_one_of_its_regions(environment: str, china: bool):
    settings = CONFIG[environment]
    assert settings["global"]["parameters"]["region"].startswith("cn-") is china
    assert settings["global"]["parameters"]["stack_name"]
    deploy = settings["deploy"]["parameters"]
    assert deploy["capabilities"] == "CAPABILITY_IAM"
    assert deploy["confirm_changeset"] is True
    assert deploy["resolve_s3"] is True


@pytest.mark.parametrize("environment", ["default", "aws", "cn"])
def test_every_environment_builds_without_a_cache(environment: str):
    assert CONFIG[environment]["build"]["parameters"]["cached"] is False


def test_no_environment_names_an_account_a_profile_or_a_secret():
    text = (ROOT / "samconfig.toml").read_text(encoding="utf-8")
    assert not {"profile", "role_arn", "parameter_overrides", "s3_bucket"} & {
        key
        for environment in CONFIG.values()
        if isinstance(environment, dict)
        for part in environment.values()
        for key in part["parameters"]
    }
    assert "arn:" not in text
