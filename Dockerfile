# Build: all dependencies, then the compiled program with what it needs to run, nothing else.
FROM node:22-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --omit=optional
COPY . .
RUN npm run build && npm prune --omit=dev --omit=optional --ignore-scripts

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

# Trainers on GPU hosts: the same program with WebGPU, whose driver the container toolkit brings from the host.
FROM runtime AS gpu
USER root
RUN apt-get update && apt-get install -y --no-install-recommends libvulkan1 && rm -rf /var/lib/apt/lists/*
RUN cd /app && npm install --no-save --omit=dev --ignore-scripts webgpu@0.6.2 @tensorflow/tfjs-backend-webgpu@4.22.0
ENV NVIDIA_DRIVER_CAPABILITIES=compute,graphics,utility
USER node

FROM runtime
