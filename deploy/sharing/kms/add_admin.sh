#!/bin/bash
# Makes an administrator of the key management server, or logs one in who is there: asks for name and password, prints
# the registered name, a token, and `admin`.
set -euo pipefail
container=cybexp-kms-priv

usage() {
    echo "usage: ./add_admin.sh [-c CONTAINER]     the KMS's container, $container unless you say" >&2
}

while getopts c:h option; do
    case "$option" in
        c) container=$OPTARG ;;
        h) usage; exit 0 ;;
        *) usage; exit 2 ;;
    esac
done
shift $((OPTIND - 1))
if [ $# -gt 0 ]; then usage; exit 2; fi

how=(--interactive)
if [ -t 0 ]; then how+=(--tty); fi
exec docker exec "${how[@]}" "$container" /strongroom attributes add-admin --db /db --secrets /secrets
