#!/bin/sh
# Builds cybexp-priv-libs, the base of the other images, without a network: FROM scratch, out of the strongroom binary
# and the shared libraries that it needs on this machine.
set -eu

usage() {
    cat <<'USAGE'
usage: sh ./build.sh [-h|--help]

Builds the image cybexp-priv-libs. The binary is, whichever is there first:
  $STRONGROOM_BINARY           a file that you name
  target/release/strongroom    of this source tree; built with cargo if it is not there
  strongroom                   on the PATH
USAGE
}

case "${1:-}" in
    "") ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
esac

cd -- "$(dirname -- "$0")"
image=cybexp-priv-libs
top=../../..

find_binary() {
    if [ -n "${STRONGROOM_BINARY:-}" ]; then
        echo "$STRONGROOM_BINARY"
    elif [ -f "$top/Cargo.toml" ]; then
        built="${CARGO_TARGET_DIR:-$top/target}/release/strongroom"
        [ -x "$built" ] || (cd "$top" && cargo build --release --locked --package strongroom-cli >&2)
        echo "$built"
    else
        command -v strongroom
    fi
}

binary=$(find_binary) || { echo "build.sh: no strongroom binary: set STRONGROOM_BINARY" >&2; exit 1; }
[ -x "$binary" ] || { echo "build.sh: $binary: not a program" >&2; exit 1; }

umask 022
rm -rf root
mkdir -p root/tmp root/etc/ssl/certs
chmod 1777 root/tmp
cp "$binary" root/strongroom
chmod 755 root/strongroom

# "libc.so.6 => /lib/.../libc.so.6 (0x...)" and "/lib64/ld-linux-x86-64.so.2 (0x...)"; a static binary has none
ldd "$binary" 2>/dev/null | sed -n -e 's/.*=> \(\/[^ ]*\) .*/\1/p' -e 's/^[[:space:]]*\(\/[^ ]*\) (.*/\1/p' |
    while read -r library; do
        mkdir -p "root$(dirname "$library")"
        cp -L "$library" "root$library"
    done
# looked up by a fixed name when a host name is resolved
for authorities in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt; do
    if [ -f "$authorities" ]; then
        cp -L "$authorities" root/etc/ssl/certs/ca-certificates.crt
        break
    fi
done
echo 'hosts: files dns' > root/etc/nsswitch.conf

docker build --quiet --tag "$image" . > /dev/null
rm -rf root
echo "$image: $(docker image inspect --format '{{.Id}} {{.Size}} bytes' "$image")"
