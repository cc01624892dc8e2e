#!/bin/bash
# Makes an administrator of the key management server, or logs one in who is there: asks for name and password, prints
# the registered name, a token, and `admin`.
set -euo pipefail
container=cybexp-kms-priv

usage() {
    cat >&2 <<USAGE
usage: ./add_admin.sh [-c CONTAINER]

Asks for an administrator's name and password; without a terminal they are the two lines of standard input.

  -c CONTAINER   the KMS's container, $container unless you say
USAGE
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

add=("$container" /strongroom attributes add-admin --db /db --secrets /secrets)
if [ -t 0 ]; then exec docker exec --interactive --tty "${add[@]}"; fi
IFS= read -r name || { usage; exit 2; }
exec docker exec --interactive "${add[@]}" --password-file - -- "$name"
