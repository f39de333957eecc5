#!/bin/sh
# In an initramfs without systemd: stops the agent before the root file system takes over, so that luo-agent.service can start. An
# agent that holds sessions does not stop: it goes on with the real system, where luo finds it by its socket in /run.
/usr/lib/luo/initramfs-agent stop >/dev/null || warn "luo: the agent of the initramfs goes on, as it holds sessions"
