"""Makes the roles and databases of the compose file's Postgres, at every start, with the passwords of .env."""

from __future__ import annotations

import os
import re
import sys

import psycopg2

from risk.core.server import ensure_databases

SERVER = "host=postgres user=postgres dbname=postgres"
OWNERS = {"warehouse": "risk_owner", "airflow": "airflow"}
PASSWORDS = {
    "risk_owner": "RISK_OWNER_PASSWORD",
    "risk": "RISK_PIPELINE_PASSWORD",
    "risk_page": "RISK_PAGE_PASSWORD",
    "risk_reader": "RISK_READER_PASSWORD",
    "airflow": "AIRFLOW_DATABASE_PASSWORD",
}


def main() -> None:
    """Refuse passwords that would be cut in the address of a database, then make what is missing."""
    given = {role: os.environ[variable] for role, variable in PASSWORDS.items()}
    unfit = [PASSWORDS[role] for role, password in given.items() if not re.fullmatch(r"[\w.~-]+", password, re.ASCII)]
    if unfit:
        sys.exit(
            f"{', '.join(unfit)}: these passwords stand in addresses of databases. Use letters, digits, - . _ and ~ "
            "only: openssl rand -hex 32 makes one. Correct .env, then run docker compose up again."
        )
    os.environ["PGPASSWORD"] = os.environ["POSTGRES_PASSWORD"]
    try:
        ensure_databases(SERVER, OWNERS, given)
    except psycopg2.OperationalError as error:
        sys.exit(
            f"The superuser of Postgres cannot log in ({' '.join(str(error).split())}). If POSTGRES_PASSWORD in .env "
            "was changed: docker compose exec postgres psql -U postgres -c '\\password', and give it the one of .env."
        )


if __name__ == "__main__":
    main()
