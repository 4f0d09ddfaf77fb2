"""The seven steps as Airflow operators; with ``timetables``, the only modules that import Airflow."""
