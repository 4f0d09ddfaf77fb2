"""The Risk page: what our plugin serves beside Airflow's own pages."""
