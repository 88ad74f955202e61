# One image for every process: the first word of the command says which (see docker/README.md).
ARG NODE_IMAGE=node:26-bookworm-slim

# What decides the dependencies, and nothing else: the layers above it are built again only when a
# manifest or the lock file changes, not at every change of a source.
FROM ${NODE_IMAGE} AS manifests
WORKDIR /app
COPY package.json package-lock.json ./
COPY packages/domain/package.json packages/domain/
COPY packages/contracts/package.json packages/contracts/
COPY packages/saga/package.json packages/saga/
COPY packages/runtime/package.json packages/runtime/
COPY packages/testing/package.json packages/testing/
COPY db/package.json db/
COPY apps/ingress/package.json apps/ingress/
COPY apps/relay/package.json apps/relay/
COPY apps/workers/package.json apps/workers/
COPY apps/projector/package.json apps/projector/
COPY apps/reconciler/package.json apps/reconciler/

# What runs: the applications, the rooms they are composed of, and their dependencies.
FROM manifests AS production
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
      --workspace apps/ingress --workspace apps/relay --workspace apps/workers \
      --workspace apps/projector --workspace apps/reconciler \
  && rm -rf packages/testing

FROM manifests AS build
# Optional packages are for the tests, and a second Node.
RUN npm ci --omit=optional --ignore-scripts --no-audit --no-fund
COPY tsconfig.base.json ./
COPY packages packages
COPY db db
COPY apps apps
# Not the whole tree: specs are type-checked by CI and are not in the build context.
RUN npx tsc -b apps/ingress apps/relay apps/workers apps/projector apps/reconciler
# Type declarations and build records are for builders. Source maps stay: stack traces use them.
RUN mkdir /out \
  && find packages db apps -path '*/node_modules' -prune -o -type f \
      \( -path '*/dist/*.js' -o -path '*/dist/*.js.map' -o -name '*.sql' \) \
      -exec cp --parents -t /out {} +

FROM ${NODE_IMAGE}
ENV NODE_ENV=production \
    NODE_OPTIONS="--enable-source-maps --max-semi-space-size=16"
WORKDIR /app
COPY --from=production /app ./
COPY --from=build /out ./
COPY docker/*.mjs docker/
COPY docker/surety /usr/local/bin/
# By number, so that Kubernetes can tell that it is not root. Nothing below /app belongs to it.
USER 1000:1000
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "docker/healthcheck.mjs"]
ENTRYPOINT ["node", "docker/entrypoint.mjs"]
