#!/bin/bash
# Runs the collector in a container, with a configuration that is mounted.
set -euo pipefail
here=$PWD
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
me=collector.sh
image=cybexp-collector

usage() {
    cat <<'USAGE'
usage: bash collector.sh [-b|--build] [--build-only] [-a|--get-attrib] [-c|--vacuum] [-s|--shell]
                         [--bind [IFACE:]PORT] [--host-network] [-d|--detach] [-h|--help] CONFIG [COMMAND...]

Runs the collector with the configuration CONFIG, and secrets/ and db/ of this folder; its spool is db/spool. Data comes
in at 127.0.0.1:6000. SIGINT (Ctrl-C) takes in what is on its way, keeps what is not posted yet, and ends.

  -b, --build         build the image first; needed once, and when the program is newer
  --build-only        build the image and nothing else
  -a, --get-attrib    list the attributes that policies may name, and end
  -c, --vacuum        remove ended containers and replaced images of this module
  -s, --shell         there is none in an image from scratch: says what to do instead
  --bind [IFACE:]PORT where data comes in. What arrives is not encrypted yet: an address other than 127.0.0.1 lets
                      whoever is on the way read it
  --host-network      no network of its own: for servers on this machine's 127.0.0.1
  -d, --detach        in the background, in place of one that runs: `docker stop -t 60 cybexp-collector` ends it
  -h, --help          this

COMMAND is what comes after `strongroom collector`, such as `enroll` or `explain`.
USAGE
}

. ../common.sh

build="" only="" attributes="" host="" detach="" bind=127.0.0.1:6000
while [ $# -gt 0 ]; do
    case "$1" in
        -b | --build) build=1 ;;
        --build-only) build=1 only=1 ;;
        -s | --shell) no_shell ;;
        -c | --vacuum) vacuum; exit 0 ;;
        -a | --get-attrib) attributes=1 ;;
        --bind) [ $# -ge 2 ] || misused "--bind: where?"; bind=$2; shift ;;
        --bind=*) bind=${1#*=} ;;
        --host-network) host=1 ;;
        -d | --detach) detach=1 ;;
        -h | --help) usage; exit 0 ;;
        -*) misused "$1: unknown" ;;
        *) break ;;
    esac
    shift
done
split_bind "$bind" 127.0.0.1
if [ -n "$build" ]; then build_image; fi
if [ -n "$only" ]; then exit 0; fi
[ $# -ge 1 ] || misused "which configuration?"
config=$(cd "$here" && realpath -- "$1")
shift
need_image
need_config "$config"
make_folders secrets db
make_network

run=(--rm --name "$image" --user "$owner" --read-only --tmpfs /tmp --cap-drop ALL
    --security-opt no-new-privileges --stop-timeout 60
    --volume "$PWD/secrets:/secrets" --volume "$PWD/db:/db" --volume "$config:/config.yaml:ro")
words=("$@")
if [ -n "$attributes" ]; then words=(--get-attrib); fi
if [ ${#words[@]} -gt 0 ]; then
    # beside a collector that runs
    run=("${run[@]:0:1}" "${run[@]:3}" --interactive)
    if [ -t 0 ]; then run+=(--tty); fi
elif [ -n "$detach" ]; then
    run=("${run[@]:1}" --detach --restart unless-stopped)
    remove
else
    runs=$(docker inspect --format '{{.State.Running}}' "$image" 2> /dev/null || true)
    [ "$runs" != true ] || die "it runs already; \`docker stop -t 60 $image\` ends it"
    remove
fi
inside=0.0.0.0:5000
if [ -n "$host" ]; then
    run+=(--network host)
    inside=$bind_address:$bind_port
else
    run+=(--network "$network")
    if [ ${#words[@]} -eq 0 ]; then run+=(--publish "$bind_address:$bind_port:5000"); fi
fi
if [ "$bind_address" != 127.0.0.1 ]; then
    echo "$me: data will come in at $bind_address:$bind_port in clear: whoever is on the way can read it" >&2
fi
case "${words[0]:-}" in
    "") exec docker run "${run[@]}" "$image" --secrets /secrets --bind "$inside" /config.yaml ;;
    --get-attrib) exec docker run "${run[@]}" "$image" --secrets /secrets --get-attrib /config.yaml ;;
    *) exec docker run "${run[@]}" "$image" "${words[0]}" --secrets /secrets /config.yaml "${words[@]:1}" ;;
esac
