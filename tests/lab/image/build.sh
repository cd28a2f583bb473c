#!/bin/bash
# Builds one root image of the lab from Debian packages:
#   build.sh box|machine SUITE MIRROR OUT [APTOPT…]
# OUT must be an existing empty directory. A box becomes OUT/root; a machine becomes OUT/{disk.ext4,vmlinuz,initrd,key}.
# See mmdebstrap(1). What is installed here is all that a test may expect to find.
set -eu -o pipefail
kind=$1 suite=$2 mirror=$3 out=$4
shift 4
root=$out/root

packages=systemd,systemd-sysv,dbus,nodejs,npm,iproute2,procps,curl,ca-certificates,python3-minimal
masked="apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer systemd-firstboot.service"
hooks=()
case $kind in
box)
	# A box shares the host's network: nothing in it may configure that, load modules or hold a console.
	masked+=" systemd-networkd.service systemd-networkd.socket systemd-modules-load.service console-getty.service"
	# A reverse proxy and a source of releases, which tests start as they need them; a compiler for what npm builds.
	packages+=,nginx,git,g++,make
	masked+=" nginx.service"
	;;
machine)
	packages+=,openssh-server,linux-image-cloud-amd64,initramfs-tools,zstd,udev,kmod
	masked+=" getty@tty1.service serial-getty@ttyS0.service systemd-networkd-wait-online.service e2scrub_reap.service"
	ssh-keygen -q -t ed25519 -N '' -C appctl-lab -f "$out/key"
	# No fstab: with a line for / the boot would wait for udev to have seen the disk it already runs from.
	# Only what finds the disk: a small initrd loads quickly under emulation.
	hooks+=(
		--essential-hook='mkdir -p "$1/etc/initramfs-tools/conf.d" "$1/usr/share/initramfs-tools/modules.d"'
		--essential-hook='echo MODULES=list > "$1/etc/initramfs-tools/conf.d/lab"'
		--essential-hook='printf "%s\n" virtio_pci virtio_blk ext4 > "$1/usr/share/initramfs-tools/modules.d/lab"'
		--customize-hook='install -d -m 0700 "$1/root/.ssh"'
		--customize-hook="install -m 0600 '$out/key.pub' \"\$1/root/.ssh/authorized_keys\""
		--customize-hook='printf "[Match]\nName=eth0\n[Network]\nAddress=10.0.2.15/24\nGateway=10.0.2.2\n" > "$1/etc/systemd/network/lab.network"'
		--customize-hook='echo nameserver 10.0.2.3 > "$1/etc/resolv.conf"'
		--customize-hook='systemctl --root="$1" enable systemd-networkd.service ssh.service'
	)
	;;
*)
	echo "build.sh: no such kind of image: $kind" >&2
	exit 2
	;;
esac

# Without documentation and translations the unpacking is twice as fast. The exclusion must not outlive the build:
# the package under test is unpacked whole.
mmdebstrap --mode=root --variant=minbase --include="$packages" "${@/#/--aptopt=}" \
	--aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Retries "3"' \
	--dpkgopt=force-unsafe-io \
	--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
	--dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' \
	--customize-hook='rm "$1/etc/dpkg/dpkg.cfg.d/99mmdebstrap"' \
	--customize-hook='mkdir -p "$1/var/log/journal"' \
	--customize-hook='systemd-machine-id-setup --root="$1"' \
	--customize-hook="echo lab-$suite > \"\$1/etc/hostname\"" \
	--customize-hook="printf '127.0.0.1 localhost lab-$suite\n::1 localhost\n' > \"\$1/etc/hosts\"" \
	--customize-hook="systemctl --root=\"\$1\" mask $masked" \
	--customize-hook='systemctl --root="$1" set-default multi-user.target' \
	"${hooks[@]}" \
	--customize-hook='touch "$1/etc/.updated" "$1/var/.updated"' \
	"$suite" "$root" "$mirror"

if [ "$kind" = machine ]; then
	cp -L "$root"/boot/vmlinuz-* "$out/vmlinuz"
	cp -L "$root"/boot/initrd.img-* "$out/initrd"
	mkfs.ext4 -q -F -L lab -d "$root" "$out/disk.ext4" 4G
	rm -rf "$root"
fi
