"""Who types a command: the account of this machine, never a name that the environment claims."""

import os
import pwd


def login_name() -> str:
    """The name of the account that runs this process; `uid N` where the machine has no name for it.

    Python's `getpass.getuser` believes LOGNAME and USER first: whoever sets them would approve what they started
    themselves.
    """
    number = os.getuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"uid {number}"


def decides(name: str) -> str:
    """Who is written down for a decision: the account, and beside a name that is given for it the account, too."""
    account = login_name()
    return account if name in ("", account) else f"{name} (account {account})"
