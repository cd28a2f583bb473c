#!/bin/sh
# Installs the Debian packages that building, testing and the lab need, when one is missing.
set -eu

needed="gcc libc6-dev dpkg-dev lintian systemd-container mmdebstrap debian-archive-keyring qemu-system-x86 qemu-utils
        e2fsprogs openssh-client zstd iproute2 openssl python3 util-linux procps curl shellcheck"
# A Node.js and npm from elsewhere serve as well as Debian's.
command -v node >/dev/null || needed="$needed nodejs"
command -v npm >/dev/null || needed="$needed npm"

missing=
for package in $needed; do
    case "$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)" in
        *" installed") ;;
        *) missing="$missing $package" ;;
    esac
done
[ -n "$missing" ] || exit 0

echo "installing:$missing"
root=
[ "$(id -u)" = 0 ] || root=sudo
export DEBIAN_FRONTEND=noninteractive
$root apt-get update -q
# shellcheck disable=SC2086 # one word per package
$root apt-get install -y -q --no-install-recommends $missing
