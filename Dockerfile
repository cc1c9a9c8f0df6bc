# The command in a small image, as nobody in particular.
FROM python:3.12-slim AS build
WORKDIR /src
COPY . .
RUN python -m venv /opt/aci-reconcile \
    && /opt/aci-reconcile/bin/pip install --no-cache-dir --disable-pip-version-check \
        -c constraints.txt '.[keyvault]'

FROM python:3.12-slim
# The applied commit is looked up in git.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin reconcile
COPY --from=build /opt/aci-reconcile /opt/aci-reconcile
ENV PATH=/opt/aci-reconcile/bin:$PATH PYTHONDONTWRITEBYTECODE=1
USER 10001
WORKDIR /work
ENTRYPOINT ["aci-reconcile"]
CMD ["--help"]
