# The image of api-server, scheduler, dag-processor and the one-time migration; see docker-compose.yaml.
FROM python:3.12.11-slim-bookworm

ENV AIRFLOW_HOME=/opt/airflow \
    PYTHONPATH=/opt/risk/plugins \
    PYTHONUNBUFFERED=1

RUN useradd --uid 50000 --create-home --home-dir /opt/airflow risk \
    && install --directory --owner risk --mode 0700 /opt/airflow/logs /var/lib/risk/alarms /var/lib/risk/outbound \
        /var/lib/risk/reports

COPY requirements-compose.txt /tmp/requirements.txt
RUN pip install --no-cache-dir --no-deps --require-hashes --requirement /tmp/requirements.txt \
    && rm /tmp/requirements.txt

WORKDIR /opt/risk
COPY dags dags
COPY include include
COPY plugins plugins

USER risk
CMD ["airflow", "version"]
