#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Lays out an image's root folder: programs, the libraries that they load, and the little else that these read. Used by
# the Dockerfiles, on the Debian that the programs were built on.
#
#   docker/image_root.sh ROOT PROGRAM...
#
# Each library comes from a package whose record goes to /var/lib/dpkg/status.d, where scanners look for versions, and
# whose licence goes to /usr/share/doc.
set -euo pipefail

root=$1
shift
uid=65532
packages=$(mktemp)

# Copies a file to the folder that it really is in (/lib is a link to /usr/lib), under the name that it is asked for.
add() {
    local path=$1 mode=$2 folder
    folder=$(realpath "$(dirname "$path")")
    install -D -m "$mode" "$path" "$root$folder/$(basename "$path")"
    dpkg-query -S "$(realpath "$path")" | cut -d: -f1 >>"$packages"
}

# What a program or library is linked with, and what that is linked with: the paths in ldd's answer.
libraries_of() {
    ldd "$@" | grep -o '/[^ ]*\.so[^ :]*' | sort -u
}

install -d -m 0755 "$root/usr/bin" "$root/etc" "$root/var/lib/dpkg/status.d"
for program in "$@"; do
    install -m 0755 "$program" "$root/usr/bin/"
done

# Connector/C loads its ways to log in by name; caching_sha2_password is MySQL's default, the others are MariaDB's.
loaded=()
for name in caching_sha2_password sha256_password client_ed25519 parsec; do
    for path in /usr/lib/*/libmariadb3/plugin/"$name.so"; do
        if [ -f "$path" ]; then loaded+=("$path"); fi
    done
done
[ ${#loaded[@]} -gt 0 ] || { echo "image_root.sh: Connector/C's plugins are not where they were" >&2; exit 1; }
for path in "${loaded[@]}"; do
    add "$path" 0644
done

libraries=$(libraries_of "$@" "${loaded[@]}")
for path in $libraries; do
    case $path in
        */ld-linux*) add "$path" 0755 ;; # starts every program
        *) add "$path" 0644 ;;
    esac
done
for link in lib lib64; do
    if [ -d "$root/usr/$link" ]; then ln -s "usr/$link" "$root/$link"; fi
done

# TLS to databases, Redis and the user service. Name lookups need no library besides libc.
install -D -m 0644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
echo ca-certificates >>"$packages"
printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"
printf 'root:x:0:0:root:/:/nonexistent\nnotes:x:%d:%d:notes:/var/lib/notes:/nonexistent\n' $uid $uid >"$root/etc/passwd"
printf 'root:x:0:\nnotes:x:%d:\n' $uid >"$root/etc/group"

sort -u "$packages" | while read -r package; do
    dpkg-query -s "$package" >"$root/var/lib/dpkg/status.d/$package"
    install -D -m 0644 "/usr/share/doc/$package/copyright" "$root/usr/share/doc/$package/copyright"
done
install -d -m 0700 -o $uid -g $uid "$root/var/lib/notes"
install -D -m 0644 LICENSE "$root/usr/share/doc/notes/copyright"
rm "$packages"

# The programs must start with what is in there and nothing else.
for program in "$@"; do
    chroot "$root" "/usr/bin/$(basename "$program")" --version
done
