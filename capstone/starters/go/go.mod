module my-docker

go 1.19
