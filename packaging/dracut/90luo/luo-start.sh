#!/bin/sh
# In an initramfs without systemd: starts the agent before the root file system is mounted.
/usr/lib/luo/initramfs-agent start || warn "luo: no agent; sessions wait in the kernel"
