# The controller's image: Python, the product's wheel and what it depends on, and nothing else.
#
#   docker buildx build --sbom=true --provenance=true --tag REGISTRY/ack-bridge:0.1.0 --push .
#
# The last stage has no shell and no package manager; it runs as user 65532.

FROM python:3.11.14-slim-bookworm AS build
WORKDIR /source
COPY image/requirements-build.txt image/requirements-run.txt image/
RUN pip install --no-cache-dir --require-hashes --requirement image/requirements-build.txt \
 && pip install --no-cache-dir --no-compile --require-hashes --only-binary :all: --target /app \
      --requirement image/requirements-run.txt
COPY pyproject.toml README.md ./
COPY bridge bridge
COPY translators translators
COPY ack-mappings ack-mappings
COPY legacy-crds legacy-crds
RUN pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheel . \
 && pip install --no-cache-dir --no-compile --no-index --no-deps --target /app /wheel/*.whl \
 && rm -rf /app/bin

# What is in /app, as a CycloneDX bill of materials. The interpreter that is looked at sees /app alone.
FROM build AS sbom
COPY image/requirements-sbom.txt image/
RUN pip install --no-cache-dir --require-hashes --only-binary :all: --requirement image/requirements-sbom.txt
RUN mkdir /sbom \
 && printf '#!/bin/sh\nPYTHONPATH=/app exec python3 "$@"\n' > /sbom/python \
 && chmod +x /sbom/python \
 && python3 -m cyclonedx_py environment -S --pyproject pyproject.toml --output-reproducible --of JSON \
      -o /sbom/ack-bridge.cdx.json /sbom/python \
 && rm /sbom/python

# Debian 12's Python 3.11, as the stage above has it.
FROM gcr.io/distroless/python3-debian12:nonroot
LABEL org.opencontainers.image.title="ack-bridge" \
      org.opencontainers.image.description="Keeps sagemaker.aws.amazon.com/v1 objects working, by ACK objects" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /app /app
COPY --from=sbom /sbom /sbom
ENV PYTHONPATH=/app \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/usr/bin/python3", "-P", "-m", "bridge"]
CMD ["run", "--metrics-addr", ":8080", "--log-format", "json"]
