# Build: all dependencies, then the compiled program with what it needs to run, nothing else. The compilers and DuckDB
# bring their binaries as optional packages, so what is left out afterwards is named in package.json, not by --omit.
FROM node:22-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build \
  && npm pkg delete devDependencies optionalDependencies peerDependencies peerDependenciesMeta scripts \
  && npm prune --ignore-scripts \
  && rm -f dist/*.tsbuildinfo

FROM node:22-bookworm-slim AS runtime
ENV NODE_ENV=production
WORKDIR /app
RUN install -d -o node -g node /data
COPY --from=build --chown=root:root /app/package.json ./
COPY --from=build --chown=root:root /app/node_modules ./node_modules
COPY --from=build --chown=root:root /app/dist ./dist
COPY --from=build --chown=root:root /app/deploy/demo ./deploy/demo
USER node
WORKDIR /data
EXPOSE 8080
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "/app/dist/src/cli/main.js"]
CMD ["--help"]

# Trainers on GPU hosts: the same program with WebGPU, whose driver the container toolkit brings from the host; NVIDIA's
# links to libXext even where nothing is drawn.
FROM runtime AS gpu
USER root
RUN apt-get update && apt-get install -y --no-install-recommends libvulkan1 libxext6 libegl1 && rm -rf /var/lib/apt/lists/*
RUN cd /app && npm install --no-save --ignore-scripts webgpu@0.6.2 @tensorflow/tfjs-backend-webgpu@4.22.0 \
  && npm cache clean --force
ENV NVIDIA_DRIVER_CAPABILITIES=compute,graphics,utility
USER node

FROM runtime
