#!/bin/bash
# Puts luo into the initramfs when the module is asked for: dracut --add luo, or LUO_INITRAMFS=yes in /etc/luo/luo.conf.

check() {
    grep -qs '^ *LUO_INITRAMFS=["'\'']\{0,1\}yes' "${dracutsysrootdir-}/etc/luo/luo.conf" && return 0
    return 255
}

depends() {
    return 0
}

install() {
    inst_binary /usr/bin/luo
    inst_simple /etc/luo/luo.conf
    if dracut_module_included systemd; then
        inst_simple "$moddir/luo-agent.service" /usr/lib/systemd/system/luo-agent.service
        $SYSTEMCTL -q --root "$initdir" add-wants initrd.target luo-agent.service
        return
    fi
    inst_multiple cat chroot ln mkdir mount rmdir sleep umount
    inst_binary /usr/bin/cp /usr/lib/luo/cp
    inst_simple /usr/lib/luo/initramfs-agent
    inst_hook pre-mount 10 "$moddir/luo-start.sh"
    inst_hook pre-pivot 90 "$moddir/luo-stop.sh"
    {
        echo /usr/bin/luo
        ldd /usr/bin/luo | sed -n 's/^[^/]*\(\/[^ ]*\) (0x.*/\1/p'
    } > "$initdir/usr/lib/luo/files"
}
