"""`python -m operations COMMAND`: the operator's commands. Make has a target for each."""

from pathlib import Path
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError
from rich.console import Console

from operations import doctor as checks
from operations import expiry, merchant_files, options, recovery_commands, report, show, sync
from operations import secret as secrets
from operations import smoke as smokes
from operations.errors import CommandError
from operations.options import Mchid, Order, Profile, Region, StackName
from operations.secret_builder import SecretInput, mchid_of
from operations.staging import StagedSecret
from operations.target import parse_hosts
from operations.terminal import console

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False)


@app.command()
def secret(
    files: Annotated[
        Path | None, typer.Option(help="directory of apiclient_key.pem, apiclient_cert.pem, pub_key.pem")
    ] = None,
    mchid: Mchid = None,
    key: Annotated[Path | None, typer.Option(help="商户私钥 apiclient_key.pem")] = None,
    certificate: Annotated[Path | None, typer.Option(help="商户API证书 apiclient_cert.pem")] = None,
    public_key: Annotated[Path | None, typer.Option(help="微信支付公钥 pub_key.pem")] = None,
    public_key_id: Annotated[str | None, typer.Option(help="公钥ID PUB_KEY_ID_...")] = None,
    platform_certificate: Annotated[list[Path] | None, typer.Option(help="平台证书, repeatable")] = None,
    drop_platform_certificates: Annotated[
        bool, typer.Option("--drop-platform-certificates", help="the migration to the public key is over")
    ] = False,
    appid: Annotated[str | None, typer.Option(help="default of orders that name none")] = None,
    service_id: Annotated[str | None, typer.Option(help="default of orders that name none")] = None,
    order_api: Annotated[
        str | None, typer.Option(help="API of orders that name none: smartretail-orders, ...")
    ] = None,
    api_v3_key_fd: Annotated[int | None, typer.Option(help="read the APIv3 key from this descriptor")] = None,
    hosts: Annotated[str | None, typer.Option(help="WeChat Pay hosts, when there is no stack yet")] = None,
    prefix: Annotated[str | None, typer.Option(help="secret name prefix, when there is no stack yet")] = None,
    order: Order = None,
    stack_name: StackName = options.STACK,
    region: Region = None,
    profile: Profile = None,
) -> None:
    """Store or rotate a merchant's secret, once WeChat Pay has proven it 保存或轮换商户凭证.

    The APIv3 key is asked for, or read from standard input; it is never an argument.
    """
    target = options.target_of(stack_name, region, profile)
    given = SecretInput(
        mchid=mchid or None,
        key=options.existing(files, key, merchant_files.KEY_FILE),
        certificate=options.existing(files, certificate, merchant_files.CERTIFICATE_FILE),
        public_key=options.existing(files, public_key, merchant_files.PUBLIC_KEY_FILE),
        public_key_id=public_key_id or None,
        platform_certificates=platform_certificate or (),
        drop_platform_certificates=drop_platform_certificates,
        appid=appid or None,
        service_id=service_id or None,
        order_api=order_api or None,
    )
    if files is not None and not files.is_dir():
        raise CommandError(f"{files} is no directory")
    owner = mchid_of(given)
    reached = parse_hosts(hosts) if hosts else target.function.hosts
    name = f"{prefix or target.function.secret_prefix}{owner}"
    api_v3_key = secrets.read_api_v3_key(api_v3_key_fd)
    secrets.run(
        StagedSecret(target.client("secretsmanager"), name),
        given,
        api_v3_key,
        reached,
        order=order or None,
    )


@app.command()
def doctor(
    mchid: Mchid = None,
    order: Order = None,
    stack_name: StackName = options.STACK,
    region: Region = None,
    profile: Profile = None,
) -> None:
    """Check the stack and a merchant; each line says pass, or what to do 体检."""
    target = options.target_of(stack_name, region, profile)
    _exit(report.show(checks.examine(target, target.mchid(mchid), order=order or None)))


@app.command(name="expiry")
def list_expiries(
    stack_name: StackName = options.STACK,
    region: Region = None,
    profile: Profile = None,
) -> None:
    """Say when each merchant's certificate expires 商户证书到期日."""
    target = options.target_of(stack_name, region, profile)
    now = merchant_files.now()
    expiries = sorted(
        expiry.every(target.client("secretsmanager"), target.function.secret_prefix),
        key=lambda each: each.mchid,
    )
    if not expiries:
        prefix = target.function.secret_prefix
        raise CommandError(f"no secret is called {prefix}<mchid>: nothing is watched 未找到商户凭证")
    _exit(report.show(expiry.judge(each, now).about(each.mchid) for each in expiries))


@app.command()
def smoke(
    event: Annotated[Path | None, typer.Option(help="settle this order, for real 真实完结该订单")] = None,
    invalid: Annotated[
        bool, typer.Option("--invalid", help="send nothing to WeChat Pay 不调用微信支付")
    ] = False,
    mchid: Mchid = None,
    appid: Annotated[str | None, typer.Option(help="when the secret has none")] = None,
    service_id: Annotated[str | None, typer.Option(help="when the secret has none")] = None,
    order: Order = None,
    stack_name: StackName = options.STACK,
    region: Region = None,
    profile: Profile = None,
) -> None:
    """After a deployment: check, then run one order through 部署后验证; without --event nobody is charged.

    Where a check fails, no order is run.
    """
    target = options.target_of(stack_name, region, profile)
    chosen = smokes.order(event) if event else smokes.invalid_order() if invalid else None
    if not invalid:
        merchant = (chosen and chosen.mchid) or target.mchid(mchid)
        known = (chosen and chosen.number) or order or None
        if not report.show(checks.examine(target, merchant, order=known)):
            raise CommandError(
                "no order was run: correct what failed above, then make smoke 体检未通过，未执行"
            )
    if chosen is None:
        ids = smokes.identifiers(target, merchant, appid or None, service_id or None)
        chosen = smokes.impossible_order(merchant, *ids)
    _exit(smokes.run(target, chosen, lambda text: console.print(text, soft_wrap=True, markup=False)))


recovery_commands.add_to(app)
app.command("show")(show.show_order)
app.command("sync")(sync.sync_order)


def _exit(good: bool) -> None:
    raise typer.Exit(0 if good else 1)


def _hint(exc: BotoCoreError) -> str:
    """Return where region and credentials come from, when there are none."""
    if not isinstance(exc, (NoRegionError, NoCredentialsError)):
        return ""
    return "\nlocal stack: `. .local/env` first; AWS: region and credentials as for its CLI 未指定区域或凭证"


def main() -> None:
    """Run a command. What stops it is one sentence on standard error, and exit status 1."""
    try:
        app()
    except CommandError as exc:
        problem = str(exc)
    except ClientError as exc:
        problem = f"AWS refused {exc.operation_name}: {exc.response.get('Error', {}).get('Message') or exc}"
    except BotoCoreError as exc:
        problem = f"AWS cannot be reached or used: {exc}{_hint(exc)}"
    else:
        return
    Console(stderr=True, highlight=False).print(problem, style="red", soft_wrap=True, markup=False)
    raise SystemExit(1)


if __name__ == "__main__":
    main()
