# Read by the modules' scripts: what they do alike. Expects `image` and `me` and the module's folder as the current one.

libs_image=cybexp-priv-libs
network=cybexp-priv

die() {
    echo "$me: $*" >&2
    exit 1
}

misused() {
    echo "$me: $*" >&2
    usage >&2
    exit 2
}

command -v docker > /dev/null || die "docker is not installed"

has_image() {
    docker image inspect "$1" > /dev/null 2>&1
}

# The image, and its base if that is missing. A base that is newer than the image is what --build is for.
build_image() {
    has_image "$libs_image" || sh ../libs/build.sh
    docker build --quiet --tag "$image" . > /dev/null
    echo "$image: $(docker image inspect --format '{{.Id}}' "$image")"
}

need_image() {
    has_image "$image" || die "there is no image $image: run \`$me --build\`, or import one with \`docker load\`"
}

# Folders for keys and data, which nobody else may read. The program runs as whom they belong to.
make_folders() {
    for folder in "$@"; do
        [ -d "$folder" ] || (umask 077 && mkdir "$folder")
    done
    owner=$(stat -c %u:%g "$1")
}

need_config() {
    [ -f "$1" ] || die "$1: no such file; begin with a copy of the example beside it"
}

# IFACE:PORT or PORT; localhost is no interface.
split_bind() {
    case "$1" in
        *:*) bind_address=${1%:*} bind_port=${1##*:} ;;
        *) bind_address=$2 bind_port=$1 ;;
    esac
    case "$bind_address" in
        localhost) die "localhost is not an interface: use 127.0.0.1" ;;
        "" | *[!0-9.]*) die "$bind_address: not an IPv4 address of an interface; use 127.0.0.1 or 0.0.0.0" ;;
    esac
    case "$bind_port" in
        "" | *[!0-9]* | ??????*) die "$bind_port: not a port" ;;
    esac
    if [ "$bind_port" -lt 1 ] || [ "$bind_port" -gt 65535 ]; then die "$bind_port: not a port"; fi
}

# Where docker-compose.yml publishes the module: "ADDRESS:PORT:5000" under `ports:`.
published() {
    line=$(sed -n 's/^ *- *"\{0,1\}\([^" ]*:5000\)"\{0,1\} *$/\1/p' docker-compose.yml | head -n 1)
    [ -n "$line" ] || die "docker-compose.yml: no line ADDRESS:PORT:5000 under ports"
    split_bind "${line%:5000}" 0.0.0.0
}

# One network for the modules of a machine, so that the backend finds the KMS by its container's name.
make_network() {
    docker network inspect "$network" > /dev/null 2>&1 || docker network create "$network" > /dev/null
}

# The compose command that there is, or nothing.
compose() {
    if docker compose version > /dev/null 2>&1; then
        docker compose "$@"
    elif command -v docker-compose > /dev/null; then
        docker-compose "$@"
    else
        return 127
    fi
}

has_compose() {
    [ -z "${SHARING_WITHOUT_COMPOSE:-}" ] && compose version > /dev/null 2>&1
}

# What every container is confined to: no capability, nothing written but to what is mounted.
confined="--user OWNER --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges"

# A server's container, named as its image, made anew: by compose, or as compose would.
serve() {
    make_network
    published
    # whoever made it, compose or not; what is in flight is finished first
    remove
    if has_compose; then
        SHARING_USER=$owner compose up --detach
    else
        # shellcheck disable=SC2086 # words on purpose
        docker run --detach --name "$image" ${confined/OWNER/$owner} --restart unless-stopped \
            --stop-timeout 60 --network "$network" --publish "$bind_address:$bind_port:5000" \
            --volume "$PWD/secrets:/secrets" --volume "$PWD/db:/db" --volume "$PWD/config.yaml:/config.yaml:ro" \
            "$image" > /dev/null
    fi
    echo "$image: http://$bind_address:$bind_port/"
}

# Stops and removes the container; secrets and db stay.
remove() {
    docker stop --time 60 "$image" > /dev/null 2>&1 || true
    # by force: one that Docker starts again and again is never quite stopped
    docker rm --force "$image" > /dev/null 2>&1 || true
}

# Containers that have ended, and images that a newer one has replaced. Never secrets, never db.
vacuum() {
    docker ps --all --quiet --filter "ancestor=$image" --filter status=exited --filter status=created |
        xargs -r docker rm > /dev/null
    docker image prune --force --filter "label=org.strongroom.sharing=$image" > /dev/null
}

no_shell() {
    die "the image is made from scratch and holds one program: there is no shell in it. To look into a running one: docker exec $image /strongroom --version, docker logs $image"
}

# The scripts of KMS and backend are the same in all but the name.
server_main() {
    build="" only="" follow="" down=""
    while [ $# -gt 0 ]; do
        case "$1" in
            -b | --build) build=1 ;;
            --build-only) build=1 only=1 ;;
            -s | --shell) no_shell ;;
            -c | --vacuum) vacuum; exit 0 ;;
            -l | --logs) follow=1 ;;
            --down) down=1 ;;
            -h | --help) usage; exit 0 ;;
            *) misused "$1: unknown" ;;
        esac
        shift
    done
    if [ -n "$down" ]; then remove; exit 0; fi
    if [ -n "$build" ]; then build_image; fi
    if [ -n "$only" ]; then exit 0; fi
    need_image
    need_config config.yaml
    make_folders secrets db
    serve
    if [ -n "$follow" ]; then exec docker logs --follow "$image"; fi
}
