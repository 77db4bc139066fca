"""From where the functions call WeChat Pay: from a VPC of the merchant's, or from AWS's own network."""

from collections.abc import Iterator, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from operations.report import Finding, failed, note, passed

SUBJECT = "VPC"
_ANYWHERE = "0.0.0.0/0"


def check(ec2: Any, subnets: Sequence[str]) -> Iterator[Finding]:
    """Look for each subnet's way out, and for the address WeChat Pay sees.

    From this machine only what AWS is configured to do is seen: `make smoke` goes the way itself.
    """
    try:
        yield from _ways_out(ec2, subnets)
    except (ClientError, BotoCoreError) as exc:
        yield note(
            SUBJECT, f"the way out of {', '.join(subnets)} was not checked ({exc}): make smoke goes it"
        )


def _ways_out(ec2: Any, subnets: Sequence[str]) -> Iterator[Finding]:
    for described in ec2.describe_subnets(SubnetIds=list(subnets))["Subnets"]:
        subnet = described["SubnetId"]
        route = _default_route(ec2, subnet, described["VpcId"])
        if gateway := route.get("NatGatewayId"):
            addresses = ", ".join(_addresses_of(ec2, gateway)) or "an address that EC2 does not tell"
            yield passed(
                SUBJECT,
                f"{subnet} goes out by {gateway}: WeChat Pay sees {addresses}. When the merchant has a list "
                "of allowed addresses, it must be on it IP 白名单",
            )
        elif route.get("GatewayId", "").startswith("igw-") or not route:
            yield failed(
                SUBJECT,
                f"{subnet} has no way out: a function in a VPC has no public address, so {_ANYWHERE} must be "
                "routed to a NAT gateway 无法访问公网",
            )
        else:
            yield note(SUBJECT, f"{subnet} goes out by something of your own: make smoke goes it")


def _default_route(ec2: Any, subnet: str, vpc: str) -> dict[str, Any]:
    """Return the route to anywhere of a subnet's own table, else of the VPC's main one; empty when none."""
    for filters in (
        {"association.subnet-id": subnet},
        {"vpc-id": vpc, "association.main": "true"},
    ):
        named = [{"Name": name, "Values": [value]} for name, value in filters.items()]
        tables = ec2.describe_route_tables(Filters=named)["RouteTables"]
        if tables:
            routes: list[dict[str, Any]] = tables[0]["Routes"]
            return next((each for each in routes if each.get("DestinationCidrBlock") == _ANYWHERE), {})
    return {}


def _addresses_of(ec2: Any, gateway: str) -> list[str]:
    gateways = ec2.describe_nat_gateways(NatGatewayIds=[gateway])["NatGateways"]
    return [
        address["PublicIp"]
        for each in gateways
        for address in each.get("NatGatewayAddresses", [])
        if "PublicIp" in address
    ]
