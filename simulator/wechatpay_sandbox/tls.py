"""An authority for hosts that speak https, made once for a directory. Only ``--tls`` needs this module."""

import ssl
from pathlib import Path

import trustme

from wechatpay_sandbox.listeners import ADDRESS
from wechatpay_sandbox.state import write

AUTHORITY, ITS_KEY = "ca.pem", "ca_key.pem"


def certify(directory: Path) -> tuple[str, ssl.SSLContext]:
    """The file of the authority to trust, kept in this directory, and the hosts' side of TLS."""
    certificate, key = directory / AUTHORITY, directory / ITS_KEY
    if certificate.exists() and key.exists():
        authority = trustme.CA.from_pem(certificate.read_bytes(), key.read_bytes())
    else:
        authority = trustme.CA()
        write(key, authority.private_key_pem.bytes().decode())
        write(certificate, authority.cert_pem.bytes().decode())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(ADDRESS, "localhost").configure_cert(context)
    return str(certificate.absolute()), context
