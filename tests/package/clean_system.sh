#!/usr/bin/env bash
# clean_system.sh PACKAGE: installs the .deb into a fresh, minimal Debian 12, works with it there as an ordinary user, installs it
# over itself while a worker runs, removes it, and sees that nothing of it is left. Status 77 where that cannot be done: it takes
# root, debootstrap and the mirror that this system's apt uses.
#
# The minimal system is kept in build/clean-system (CLEAN_SYSTEM names another directory); what is done to it is done to a copy.
set -euo pipefail

package=$(readlink -f "$1")
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
source=$(dirname "$(dirname "$here")")
base=${CLEAN_SYSTEM:-$source/build/clean-system}

say() { printf '▸ %s\n' "$*"; }
die() {
  printf 'clean_system: %s\n' "$*" >&2
  exit 1
}
cannot() {
  printf 'clean_system: cannot run here: %s\n' "$*" >&2
  exit 77
}

# ── outside: make the system and enter it ──

if [[ ${2:-} != inside ]]; then
  ((EUID == 0)) || cannot "it takes root"
  command -v debootstrap >/dev/null || cannot "debootstrap is missing (scripts/install-deps.sh package)"
  unshare --mount --pid --fork true 2>/dev/null || cannot "no namespaces of our own"

  # "<mirror> <suite>" of everything that apt takes from Debian here.
  # shellcheck disable=SC2016
  sources=$(apt-get indextargets --format '$(ORIGIN) $(REPO_URI) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' |
    awk '$1 == "Debian" && $3 ~ /^bookworm/ && $4 == "main" { print $2, $3 }' | sort -u)
  mirror=$(awk '$2 == "bookworm" { print $1; exit }' <<<"$sources")
  [[ -n $mirror ]] || cannot "apt has no mirror of Debian 12 (bookworm main)"
  eval "$(apt-config shell proxy Acquire::http::Proxy)"
  export http_proxy=${http_proxy:-${proxy:-}}
  [[ -n $http_proxy ]] || unset http_proxy

  # Kept only when whole.
  if [[ ! -e $base/etc/debian_version ]]; then
    say "Making a minimal Debian 12"
    mkdir -p "$(dirname "$base")"
    making=$(mktemp -d "$base.XXXXXX")
    trap 'rm -rf --one-file-system -- "$making"' EXIT
    extra=()
    [[ $sources != *https:* ]] || extra=(--include=ca-certificates)
    if ! debootstrap --variant=minbase "${extra[@]}" bookworm "$making" "$mirror" >"$base.log" 2>&1; then
      tail -n 5 "$base.log" >&2
      cannot "debootstrap failed, see $base.log"
    fi
    rm -f "$making"/var/cache/apt/archives/*.deb
    chmod 755 "$making"
    mv "$making" "$base"
    trap - EXIT
  fi

  system=$(mktemp -d "$base.XXXXXX")
  # The mounts below end with their namespace; --one-file-system is for the day they do not.
  trap 'rm -rf --one-file-system -- "$system"' EXIT
  cp -a --reflink=auto "$base/." "$system"
  while read -r uri suite; do
    printf 'deb %s %s main\n' "$uri" "$suite"
  done <<<"$sources" >"$system/etc/apt/sources.list"
  mkdir "$system/try"
  cp "$package" "$system/try/hermes.deb"
  cp "$here"/{try_out,clean_system}.sh "$system/try/"
  for part in systemd cli/manual; do
    [[ ! -d $source/$part ]] || touch "$system/try/has-${part//\//-}"
  done
  cp -L /etc/resolv.conf "$system/etc/resolv.conf" 2>/dev/null || true
  say "Trying $(basename "$package") in a copy of it"
  # Processes of ours that are left end with the first one of their namespace.
  # shellcheck disable=SC2016
  timeout 1200 unshare --mount --pid --fork --kill-child bash -c '
    set -e
    mount -t proc proc "$1/proc"
    mount -t tmpfs -o mode=755 tmpfs "$1/dev"
    for device in null zero full random urandom tty; do
      touch "$1/dev/$device"
      mount --bind "/dev/$device" "$1/dev/$device"
    done
    mkdir -m 1777 "$1/dev/shm"
    ln -s /proc/self/fd "$1/dev/fd"
    exec chroot "$1" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 ${http_proxy:+"http_proxy=$http_proxy"} \
      bash /try/clean_system.sh /try/hermes.deb inside' enter "$system"
  say "The package installs, works, upgrades and leaves nothing behind"
  exit 0
fi

# ── inside ──

export DEBIAN_FRONTEND=noninteractive
install_package() { apt-get -qq -o Dpkg::Use-Pty=0 -o Acquire::Retries=3 install -y "$@" >/try/apt.log 2>&1; }

apt-get -qq -o Acquire::Retries=3 update >/try/apt.log 2>&1 || cannot "the mirror cannot be read: $(tail -n 3 /try/apt.log)"
# What it needs and recommends first, so that a failure below is the package's.
needs=$(dpkg-deb -f /try/hermes.deb Depends Recommends | sed 's/^[A-Za-z]*: //; s/([^)]*)//g; s/,/ /g' | tr '\n' ' ')
# shellcheck disable=SC2086
install_package $needs || die "its dependencies cannot be installed: $(tail -n 3 /try/apt.log)"
useradd --create-home --shell /bin/bash ann

# Every file of the system but those that dpkg and apt keep their own books in.
files() { find / -xdev \( -path /proc -o -path /dev -o -path /try -o -path /tmp -o -path /home -o -path '/var/lib/dpkg/*' \
  -o -path '/var/lib/apt/*' -o -path '/var/cache/*' -o -path '/var/log/*' \) -prune -o -print | sort; }
files >/try/before

say "Installing"
install_package /try/hermes.deb || die "apt-get install failed: $(cat /try/apt.log)"
[[ -z $(dpkg --audit) ]] || die "dpkg --audit: $(dpkg --audit)"
files | comm -13 /try/before - >/try/added
[[ -s /try/added ]] || die "the package has installed nothing"
if strange=$(dpkg -L hermes-kanban | sort | comm -13 - /try/added | grep .); then
  die "these files do not belong to the package: $strange"
fi

wanted=(/usr/bin/{hermes,hermes-dispatcher} /usr/libexec/hermes/hermes-shim
  /usr/share/doc/hermes-kanban/{copyright,changelog.Debian.gz,README.md,docs/operations.md})
[[ ! -e /try/has-systemd ]] || wanted+=(/usr/lib/systemd/user/hermes-dispatcher.service)
[[ ! -e /try/has-cli-manual ]] || wanted+=(/usr/share/man/man1/hermes.1.gz /usr/share/man/man8/hermes-dispatcher.8.gz
  /usr/share/bash-completion/completions/hermes /usr/share/zsh/vendor-completions/_hermes
  /usr/share/fish/vendor_completions.d/hermes.fish)
for file in "${wanted[@]}"; do
  [[ -s $file ]] || die "$file was not installed"
done
if missing=$(ldd /usr/bin/hermes /usr/bin/hermes-dispatcher | grep 'not found'); then
  die "libraries are missing: $missing"
fi
if [[ -e /try/has-systemd ]]; then
  unit=/usr/lib/systemd/user/hermes-dispatcher.service
  grep -q '^ExecStart=.*/usr/bin/hermes-dispatcher' $unit || die "the unit starts another program: $(grep ExecStart $unit)"
  said=$(XDG_RUNTIME_DIR=/tmp systemd-analyze --user --man=no verify $unit 2>&1) || die "systemd-analyze verify: $said"
  enabled=$(find /etc/systemd /usr/lib/systemd -path '*.wants/hermes*')
  [[ -z $enabled ]] || die "the package has enabled its service: $enabled"
fi
if started=$(grep -l '^hermes' /proc/[0-9]*/comm 2>/dev/null); then
  die "the package has started something: $started"
fi

# With its own package installed over it by root in the middle: the worker asks for that by a file.
say "Working with it, and installing it over itself meanwhile"
(
  until [[ -e /tmp/upgrade-please ]]; do sleep 0.1; done
  status=0
  install_package --reinstall /try/hermes.deb || status=$?
  echo "$status" >/try/upgraded.part
  mv /try/upgraded.part /try/upgraded
) &
upgrader=$!
runuser -l ann -c "bash /try/try_out.sh /usr /usr/share/doc/hermes-kanban --upgrade \
  'touch /tmp/upgrade-please; until [ -e /try/upgraded ]; do sleep 0.1; done; exit \$(cat /try/upgraded)'"
wait "$upgrader"
runuser -l ann -c 'hermes init' >/dev/null

say "Removing"
dpkg -r hermes-kanban >/try/apt.log 2>&1 || die "dpkg -r failed: $(cat /try/apt.log)"
if left=$(files | comm -13 /try/before - | grep .); then
  die "left behind: $left"
fi
if left=$(find /var/lib/dpkg /etc -name '*hermes*' | grep .); then
  die "left behind: $left"
fi
[[ -s ~ann/.hermes/boards/default/board.db ]] || die "the user's board is gone"
