// A service hands its memory over a live update with the Go package github.com/varlink/go (Debian:
// golang-github-varlink-go-dev).
//
//	client SOCKET save|restore
//
// The package cannot send descriptors: the agent takes a copy of ours, and gives a path that opens the file.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"runtime"
	"syscall"
	"unsafe"

	"github.com/varlink/go/varlink"
)

const session, token, state = "varlink-go", "1", "the state of a service with varlink-go"

type parameters map[string]interface{}

var ctx = context.Background()

func call(agent *varlink.Connection, method string, in parameters, out interface{}) {
	if err := agent.Call(ctx, "io.luo.Agent."+method, in, out); err != nil {
		log.Fatalf("%s: %v", method, err)
	}
}

func memfd(name string) *os.File {
	text := append([]byte(name), 0)
	number := map[string]uintptr{"amd64": 319, "arm64": 279}[runtime.GOARCH]
	fd, _, err := syscall.Syscall(number, uintptr(unsafe.Pointer(&text[0])), 0, 0)
	if err != 0 {
		log.Fatal("memfd_create: ", err)
	}
	return os.NewFile(fd, name)
}

func save(agent *varlink.Connection) {
	file := memfd("state")
	file.WriteString(state)
	var ignored parameters
	call(agent, "CreateSession", parameters{"name": session}, &ignored)
	call(agent, "PreserveFile", parameters{
		"session": session, "token": token, "pid": os.Getpid(), "descriptor": int(file.Fd()),
	}, &ignored)
}

func restore(agent *varlink.Connection) {
	var ignored parameters
	err := agent.Call(ctx, "io.luo.Agent.RetrieveSession", parameters{"name": "no-such-session"}, &ignored)
	if failure, ok := err.(*varlink.Error); !ok || failure.Name != "io.luo.Agent.NoSuchSession" {
		log.Fatalf("a session that is not there: %v", err)
	}
	call(agent, "RetrieveSession", parameters{"name": session}, &ignored)
	var restored struct {
		Path string `json:"path"`
	}
	file := parameters{"session": session, "token": token, "mark": false, "path": true}
	call(agent, "RestoreFile", file, &restored)
	got, err := os.ReadFile(restored.Path)
	if err != nil || string(got) != state {
		log.Fatalf("the state is wrong: %q %v", got, err)
	}
	call(agent, "MarkFile", parameters{"session": session, "token": token, "restored": true}, &ignored)
	call(agent, "FinishSession", parameters{"name": session}, &ignored)
	fmt.Println("varlink-go:", string(got))
}

func main() {
	agent, err := varlink.NewConnection(ctx, "unix:"+os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	defer agent.Close()
	map[string]func(*varlink.Connection){"save": save, "restore": restore}[os.Args[2]](agent)
}
