#!/bin/bash
# Runs the backend (exchange) in a container, published where docker-compose.yml says.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
me=backend.sh
image=cybexp-priv-backend-api

usage() {
    cat <<'USAGE'
usage: bash backend.sh [-b|--build] [--build-only] [-l|--logs] [--down] [-c|--vacuum] [-s|--shell] [-h|--help]

Runs the backend (exchange) with config.yaml, secrets/ and db/ of this folder,
by default on 127.0.0.1:5001: see ports in docker-compose.yml. Run again, it replaces the container: by that of a newer
image, or with a changed configuration. What secrets/ and db/ hold stays.

  -b, --build    build the image first; needed once, and when the program is newer
  --build-only   build the image and nothing else
  -l, --logs     show what the server says, until SIGINT; the server goes on
  --down         stop the server and remove its container
  -c, --vacuum   remove ended containers and replaced images of this module
  -s, --shell    there is none in an image from scratch: says what to do instead
  -h, --help     this

Where the compose plugin is not installed, or SHARING_WITHOUT_COMPOSE is set, docker run does the same.
USAGE
}

. ../common.sh
server_main "$@"
