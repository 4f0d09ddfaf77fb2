# The image of all of Airflow's processes and of the migration before them; see docker-compose.yaml.
FROM python:3.12.11-slim-bookworm

ENV AIRFLOW_HOME=/opt/airflow \
    PYTHONPATH=/opt/risk/plugins \
    PYTHONUNBUFFERED=1

RUN useradd --uid 50000 --create-home --home-dir /opt/airflow risk \
    && install --directory --owner risk --mode 0700 /opt/airflow/logs /var/lib/risk/alarms /var/lib/risk/reports \
        /var/lib/risk/scratch

COPY requirements-compose.txt /tmp/requirements.txt
RUN pip install --no-cache-dir --no-deps --require-hashes --requirement /tmp/requirements.txt \
    && rm /tmp/requirements.txt

WORKDIR /opt/risk
COPY docker/image docker
COPY dags dags
COPY include include
COPY plugins plugins
# A clone made under a strict umask must run as well.
RUN chmod -R a+rX /opt/risk && install --mode 0755 docker/riskctl.sh /usr/local/bin/riskctl

USER risk
CMD ["airflow", "version"]
