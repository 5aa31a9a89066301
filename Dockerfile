# One image for every airloop service of docker-compose.yml; MLflow's server is one of them. It downloads nothing at run time.
FROM python:3.11.14-slim-bookworm AS build

RUN python -m pip install --no-cache-dir --disable-pip-version-check uv==0.13.9
WORKDIR /opt/airloop
COPY requirements/production.lock requirements/production.lock
RUN uv venv --python /usr/local/bin/python3.11 venv \
    && uv pip install --python venv/bin/python --no-cache --require-hashes --compile-bytecode -r requirements/production.lock
COPY pyproject.toml README.md LICENSE ./
COPY include include
COPY dags dags
COPY plugins plugins
COPY feature_repo feature_repo
# Editable, as on a developer's machine: the library lies once, below include/.
RUN uv pip install --python venv/bin/python --no-cache --no-deps --no-build-isolation --editable . \
    && venv/bin/python -m compileall -q include dags plugins feature_repo

FROM python:3.11.14-slim-bookworm

LABEL org.opencontainers.image.title="airloop" \
      org.opencontainers.image.description="The whole life of a machine-learning model as Apache Airflow DAGs" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"

# A new named volume takes the owner of the folder it is mounted on.
RUN groupadd --gid 10001 airloop \
    && useradd --uid 10001 --gid airloop --no-create-home --home-dir /tmp --shell /usr/sbin/nologin airloop \
    && install --directory --owner airloop --group airloop --mode 0750 /airloop /airloop/landing /airflow-login /mlflow-login

COPY --from=build /opt/airloop /opt/airloop

ENV PATH=/opt/airloop/venv/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONPATH=/opt/airloop/include:/opt/airloop/include/airloop_platform/airflow_config \
    PYTHONDONTWRITEBYTECODE=1 \
    AIRLOOP_PROJECT_DIR=/opt/airloop \
    AIRLOOP_HOME=/airloop \
    HOME=/tmp

WORKDIR /airloop
USER 10001:10001
HEALTHCHECK --interval=30s --timeout=15s --start-period=120s --retries=5 \
    CMD ["python", "-P", "-m", "airloop_platform.supervisor.container", "healthy", "api-server", "http://127.0.0.1:8080"]
CMD ["python", "-P", "-m", "airflow", "version"]
