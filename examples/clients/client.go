// A service in Go hands its memory over a live update: it speaks Varlink to luo's agent, with the standard library
// alone.
//
//	go run client.go SOCKET save      the old process: preserves a memfd
//	go run client.go SOCKET restore   the new process, in the next kernel: takes the memfd back
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net"
	"os"
	"runtime"
	"syscall"
	"time"
	"unsafe"
)

const (
	session = "go"
	token   = "1"
	state   = "the state of a service in Go"
)

type parameters map[string]any

type agent struct{ *net.UnixConn }

// connect connects. After a kexec the agent of the next kernel needs a moment.
func connect(path string, patience time.Duration) (agent, error) {
	deadline := time.Now().Add(patience)
	for {
		conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"})
		if err == nil {
			return agent{conn}, nil
		}
		absent := errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.ECONNREFUSED)
		if !absent || time.Now().After(deadline) {
			return agent{}, err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// call calls a method of io.luo.Agent. The answer: its parameters, and the file descriptors that came with it.
func (a agent) call(method string, request parameters, fds ...int) (json.RawMessage, []int, error) {
	message, err := json.Marshal(parameters{"method": "io.luo.Agent." + method, "parameters": request})
	if err != nil {
		return nil, nil, err
	}
	message = append(message, 0)
	// The descriptors go with the first byte.
	sent, _, err := a.WriteMsgUnix(message, syscall.UnixRights(fds...), nil)
	if err == nil {
		_, err = a.Write(message[sent:])
	}
	if err != nil {
		return nil, nil, err
	}
	return a.answer(method)
}

func (a agent) answer(method string) (json.RawMessage, []int, error) {
	var answer []byte
	var fds []int
	piece, control := make([]byte, 65536), make([]byte, 256)
	for !bytes.HasSuffix(answer, []byte{0}) {
		n, controlLength, _, _, err := a.ReadMsgUnix(piece, control)
		if err == nil && n == 0 {
			err = errors.New("the agent ended the connection")
		}
		if err != nil {
			return nil, nil, err
		}
		answer = append(answer, piece[:n]...)
		messages, err := syscall.ParseSocketControlMessage(control[:controlLength])
		if err != nil {
			return nil, nil, err
		}
		for _, message := range messages {
			rights, err := syscall.ParseUnixRights(&message)
			if err != nil {
				return nil, nil, err
			}
			fds = append(fds, rights...)
		}
	}
	var reply struct {
		Parameters json.RawMessage
		Error      string
	}
	if err := json.Unmarshal(answer[:len(answer)-1], &reply); err != nil {
		return nil, nil, err
	}
	if reply.Error != "" {
		return nil, nil, fmt.Errorf("%s: %s %s", method, reply.Error, reply.Parameters)
	}
	return reply.Parameters, fds, nil
}

// memfdCreate is memfd_create(2), which the standard library does not have.
func memfdCreate(name string) (*os.File, error) {
	number := map[string]uintptr{"amd64": 319, "arm64": 279}[runtime.GOARCH]
	bytes, err := syscall.BytePtrFromString(name)
	if err != nil {
		return nil, err
	}
	const closeOnExec = 1
	fd, _, errno := syscall.Syscall(number, uintptr(unsafe.Pointer(bytes)), closeOnExec, 0)
	if errno != 0 {
		return nil, errno
	}
	return os.NewFile(fd, name), nil
}

func save(a agent) error {
	memfd, err := memfdCreate("state")
	if err != nil {
		return err
	}
	defer memfd.Close()
	if _, err := memfd.WriteString(state); err != nil {
		return err
	}
	if _, _, err := a.call("CreateSession", parameters{"name": session}); err != nil {
		return err
	}
	request := parameters{"session": session, "token": token, "fileFd": 0, "label": "state"}
	_, _, err = a.call("PreserveFile", request, int(memfd.Fd()))
	return err
}

func restore(a agent) error {
	if _, _, err := a.call("RetrieveSession", parameters{"name": session}); err != nil {
		return err
	}
	// The file counts as restored when its contents are safe, so not yet.
	raw, fds, err := a.call("RestoreFile", parameters{"session": session, "token": token, "mark": false})
	if err != nil {
		return err
	}
	var reply struct {
		FileFd int
		File   struct{ Size int64 }
	}
	if err := json.Unmarshal(raw, &reply); err != nil {
		return err
	}
	if reply.FileFd >= len(fds) {
		return errors.New("no file descriptor came")
	}
	memfd := os.NewFile(uintptr(fds[reply.FileFd]), "state")
	defer memfd.Close()
	contents := make([]byte, reply.File.Size)
	if _, err := memfd.ReadAt(contents, 0); err != nil {
		return err
	}
	if string(contents) != state {
		return fmt.Errorf("the state is wrong: %q", contents)
	}
	if _, _, err := a.call("MarkFile", parameters{"session": session, "token": token, "restored": true}); err != nil {
		return err
	}
	if _, _, err := a.call("FinishSession", parameters{"name": session}); err != nil {
		return err
	}
	fmt.Println("Go:", string(contents))
	return nil
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 {
		log.Fatal("usage: client SOCKET save|restore")
	}
	a, err := connect(os.Args[1], 30*time.Second)
	if err != nil {
		log.Fatal(err)
	}
	verbs := map[string]func(agent) error{"save": save, "restore": restore}
	if err := verbs[os.Args[2]](a); err != nil {
		log.Fatal(err)
	}
}
