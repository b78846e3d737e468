#!/usr/bin/env bash
# Gives an installed @tensorflow/tfjs-node its native half where its own download is out of reach: libtensorflow from
# the tensorflow-cpu wheel of whatever Python index pip is set up for, and the binding compiled here.
# Linux only. Needs python3 with pip, a C++ compiler, make, and about 2 GB of disk. Not needed by npm ci or npm test.
#
#   scripts/install-libtensorflow.sh [FOLDER]     the folder that holds node_modules; default: the current one
#
# NODE_HEADERS=/usr names a prefix with include/node/node.h, where node-gyp cannot download the headers.
set -euo pipefail

folder=$(cd "${1:-.}" && pwd)
package="$folder/node_modules/@tensorflow/tfjs-node"
[ -f "$package/binding.gyp" ] || {
  echo "no @tensorflow/tfjs-node in $folder/node_modules: run npm install --ignore-scripts @tensorflow/tfjs-node" >&2
  exit 1
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip download --quiet --no-deps --dest "$work" tensorflow-cpu
python3 - "$work" <<'PYTHON'
import glob, sys, zipfile

wheel = zipfile.ZipFile(glob.glob(sys.argv[1] + '/*.whl')[0])
wanted = ('tensorflow/libtensorflow', 'tensorflow/include/tensorflow/', 'tensorflow/include/xla/', 'tensorflow/include/tsl/')
wheel.extractall(sys.argv[1], [name for name in wheel.namelist() if name.startswith(wanted)])
PYTHON

library="$work/tensorflow/libtensorflow_cc.so.2"
nm -D --defined-only "$library" | grep ' TFE_NewContext' >/dev/null || {
  echo "this wheel's libtensorflow_cc.so.2 does not export the C API (TFE_NewContext): try another version" >&2
  exit 1
}

rm -rf "$package/deps"
mkdir -p "$package/deps/lib"
mv "$work/tensorflow/include" "$package/deps/include"
mv "$work"/tensorflow/libtensorflow*.so.2 "$package/deps/lib/"
cd "$package/deps/lib"
# tfjs-node's installer wipes deps/ unless the library has the name of the release it was made for.
for name in libtensorflow.so libtensorflow.so.2 libtensorflow.so.2.9.1; do ln -s libtensorflow_cc.so.2 "$name"; done
ln -s libtensorflow_framework.so.2 libtensorflow_framework.so

cd "$package"
headers=()
[ -n "${NODE_HEADERS:-}" ] && headers=(--nodedir "$NODE_HEADERS")
npx --yes node-gyp configure "${headers[@]}" -- \
  -Dmodule_name=tfjs_binding "-Dmodule_path=$package/lib/napi-v8" -Dnapi_build_version=8
npx --yes node-gyp build

cd "$folder"
node --input-type=module --eval "
import { createRequire } from 'node:module'
const util = createRequire(import.meta.url)('node:util')
util.isNullOrUndefined ??= (value) => value === null || value === undefined
const { default: tf } = await import('@tensorflow/tfjs-node')
console.log('tfjs-node runs on libtensorflow', tf.backend().binding.TF_Version)
"
