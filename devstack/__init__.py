"""The local stack: Postgres, mail server and Airflow of one clone, started and stopped by make.

Everything listens on loopback, on ports chosen for this clone, and keeps its state under ``var/`` and ``.airflow/``.
Airflow is reached by process and REST only: importing it costs seconds.
"""
