// My Docker. Stage 1: runs a command and passes its exit code on. A Go program has many threads: syscall.SysProcAttr
// (Cloneflags, Chroot, UidMappings) sets up the child, and a program that starts itself again does the rest.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
)

func run(words []string) int {
	command := words[1:] // not used yet: options before the image, and the image
	child := exec.Command(command[0], command[1:]...)
	child.Stdout, child.Stderr = os.Stdout, os.Stderr
	err := child.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "my-docker:", err)
		return 127
	}
	return 0
}

func main() {
	if len(os.Args) < 4 || os.Args[1] != "run" {
		fmt.Fprintln(os.Stderr, "my-docker: there is no such command")
		os.Exit(125)
	}
	os.Exit(run(os.Args[2:]))
}
