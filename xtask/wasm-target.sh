#!/usr/bin/env bash
# Gives the current rustc the target wasm32-wasip2 where rustup cannot download it:
# the standard library is built from Debian's rust-src of the very same version, and linked against its wasi-libc.
set -euo pipefail
target=wasm32-wasip2
version=$(rustc --version | cut -d' ' -f2)
sysroot=$(rustc --print sysroot)
dest=$sysroot/lib/rustlib/$target
[ -e "$dest/lib/self-contained/libc.a" ] && ls "$dest"/lib/libstd*.rlib >/dev/null 2>&1 && { echo "$target is there"; exit 0; }
timeout 20 rustup target add "$target" >/dev/null 2>&1 && { echo "$target by rustup"; exit 0; }

work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/lists/partial "$work"/cache/archives/partial "$work"/debs
chmod 755 "$work" "$work/debs"
# the mirror this machine's own sources name, other suites of it
mirror=$(sed -n 's/^URIs: *\([^ ]*\/debian\)\/*$/\1/p' /etc/apt/sources.list.d/*.sources 2>/dev/null | head -1)
[ -n "$mirror" ] || mirror=$(sed -n 's/^deb \(\[[^]]*\] \)\?\([^ ]*\/debian\)\/* .*/\2/p' /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null | head -1)
for suite in trixie-backports trixie forky sid; do
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main"
done >"$work/sources.list"
apt=(-q -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root)
apt-get update "${apt[@]}" >/dev/null
src=$(apt-cache madison "${apt[@]}" rust-src | awk -F'|' -v v="$version" '{gsub(/ /,"",$2)} index($2,v"+")==1 {print $2; exit}')
[ -n "$src" ] || { echo "no rust-src $version in Debian's suites" >&2; exit 1; }
libc=$(apt-cache madison "${apt[@]}" wasi-libc | awk -F'|' '{gsub(/ /,"",$2)} $2 ~ /git2026/ {print $2; exit}')
cd "$work/debs"
apt-get download "${apt[@]}" "rust-src=$src" "wasi-libc=$libc" >/dev/null
for deb in *.deb; do dpkg-deb -x "$deb" "$work/root"; done

staged=$work/$target/lib
mkdir -p "$staged/self-contained"
cp "$work/root/usr/lib/$target/"{libc.a,crt1-command.o,crt1-reactor.o} "$staged/self-contained/"
cd "$work/root/usr/src/rustc-$version/library"
# the std of the target links against the self-contained libc: it must be in place before the build
mkdir -p "$dest/lib" && cp -r "$staged/self-contained" "$dest/lib/"
RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zforce-unstable-if-unmarked -Cembed-bitcode=yes -Cpanic=abort" CARGO_TARGET_DIR=$work/build \
  cargo build --release --target "$target" -p sysroot --features panic-unwind,compiler-builtins-mem
cp "$work/build/$target/release/deps/"*.rlib "$dest/lib/"
echo "$target built from rust-src $src and wasi-libc $libc"
