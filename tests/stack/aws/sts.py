"""STS: who the caller is."""

from __future__ import annotations

from tests.stack.aws.world import Context, Handler, Json

USER_ID = "AIDAACKBRIDGEDOUBLE00"


def get_caller_identity(context: Context, request: Json) -> Json:
    """Every key belongs to one user of the account."""
    account = context.world.account
    return {"Account": account, "Arn": f"arn:aws:iam::{account}:user/operator", "UserId": USER_ID}


OPERATIONS: dict[str, Handler] = {"GetCallerIdentity": get_caller_identity}
