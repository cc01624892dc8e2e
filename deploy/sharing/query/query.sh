#!/bin/bash
# Asks the backend from a container, with a configuration that is mounted.
set -euo pipefail
here=$PWD
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
me=query.sh
image=cybexp-priv-query

usage() {
    cat <<'USAGE'
usage: bash query.sh [-b|--build] [--build-only] [-q search|count] [-f EPOCH] [-t EPOCH] [-l] [-r] [OPTION...]
                     [-c|--vacuum] [-s|--shell] [--host-network] [-h|--help] CONFIG QUERY OUTPUT
       bash query.sh [--host-network] enroll CONFIG [OPTION...]

Searches what this member may search and opens what it may open; keys lie in secrets/ of this folder. OUTPUT is a file,
or - for standard output.

  -q search|count     records, or how many
  -f EPOCH, -t EPOCH  whose time is after, before EPOCH (seconds since 1970)
  -l, -r              or at EPOCH itself: on the left side, on the right side
  -b, --build         build the image first; needed once, and when the program is newer
  --build-only        build the image and nothing else
  -c, --vacuum        remove ended containers and replaced images of this module
  -s, --shell         there is none in an image from scratch: says what to do instead
  --host-network      no network of its own: for servers on this machine's 127.0.0.1
  -h, --help          this

Any other OPTION goes to `strongroom query`: --format=csv, --prove, --limit=100. QUERY: 203.0.113.7, or
'src_ip=203.0.113.7 AND (port=22 OR port=23) since 2026-11-01'.
USAGE
}

. ../common.sh

build="" only="" host="" options=()
while [ $# -gt 0 ]; do
    case "$1" in
        -b | --build) build=1 ;;
        --build-only) build=1 only=1 ;;
        -s | --shell) no_shell ;;
        -c | --vacuum) vacuum; exit 0 ;;
        --host-network) host=1 ;;
        -h | --help) usage; exit 0 ;;
        -q | -f | -t | --format | --limit | --batch-size)
            [ $# -ge 2 ] || misused "$1: what?"
            options+=("$1" "$2")
            shift
            ;;
        --) shift; break ;;
        -?*) options+=("$1") ;;
        *) break ;;
    esac
    shift
done
if [ -n "$build" ]; then build_image; fi
if [ -n "$only" ]; then exit 0; fi
[ $# -ge 2 ] || misused "CONFIG, QUERY and OUTPUT are needed"
need_image
make_folders secrets
make_network

run=(--rm --interactive --user "$owner" --read-only --tmpfs /tmp --cap-drop ALL
    --security-opt no-new-privileges --volume "$PWD/secrets:/secrets")
if [ -n "$host" ]; then run+=(--network host); else run+=(--network "$network"); fi

if [ "$1" = enroll ]; then
    config=$(cd "$here" && realpath -- "$2")
    need_config "$config"
    if [ -t 0 ]; then run+=(--tty); fi
    exec docker run "${run[@]}" --volume "$config:/config.yaml:ro" "$image" enroll --secrets /secrets /config.yaml "${@:3}"
fi
[ $# -eq 3 ] || misused "CONFIG, QUERY and OUTPUT are needed"
config=$(cd "$here" && realpath -- "$1")
need_config "$config"
output=-
if [ "$3" != - ]; then
    folder=$(cd "$here" && realpath -- "$(dirname -- "$3")")
    [ -d "$folder" ] || die "$folder: no such folder"
    run+=(--volume "$folder:/out")
    output=/out/$(basename -- "$3")
fi
exec docker run "${run[@]}" --volume "$config:/config.yaml:ro" "$image" --secrets /secrets \
    ${options[@]+"${options[@]}"} /config.yaml "$2" "$output"
