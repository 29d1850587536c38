// A small web service: it greets, it serves TLS when it is given a certificate, and it can ask another one.
package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"runtime"
	"time"

	"github.com/google/uuid"
)

func greet(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprintf(w, "hello from %s/%s, request %s\n", runtime.GOOS, runtime.GOARCH, uuid.NewString())
}

// fetch asks for one page and says why it could not be had.
func fetch(address string) error {
	client := http.Client{Timeout: 10 * time.Second}
	answer, err := client.Get(address)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	fmt.Println(answer.Status)
	return nil
}

func main() {
	log.SetFlags(0)
	http.HandleFunc("/", greet)
	words := os.Args[1:]
	switch {
	case len(words) == 2 && words[0] == "fetch":
		if err := fetch(words[1]); err != nil {
			log.Fatal(err)
		}
	case len(words) == 3 && words[0] == "tls":
		listener, err := net.Listen("tcp", ":8443")
		if err != nil {
			log.Fatal(err)
		}
		log.Print("serving TLS on :8443")
		log.Fatal(http.ServeTLS(listener, nil, words[1], words[2]))
	case len(words) == 1 && words[0] == "about":
		fmt.Printf("service for %s/%s, mode %s\n", runtime.GOOS, runtime.GOARCH, os.Getenv("MODE"))
	default:
		log.Print("serving on :8080")
		log.Fatal(http.ListenAndServe(":8080", nil))
	}
}
