# syntax=docker/dockerfile:1
# check=skip=all
# escape=`

# A comment, and a global argument
ARG VERSION=1.36 REGISTRY
FROM --platform=linux/amd64 ${REGISTRY:-docker.io}/busybox:${VERSION} AS Build
arg VERSION
ENV PATH_TO=C:\dir NAME="two words" PLAIN=a` b
ENV OLD the old   form
LABEL "a key"=value `
      # a comment inside

      other='$NOT a variable'
RUN --mount=type=cache,target=/cache --mount=type=secret,id=token `
    --network=none `
    echo one && `
    echo two
RUN ["/bin/echo", "exec \"form\""]
RUN [not json
RUN <<EOF cat > /out
first line
	second `
EOF
RUN <<-'ONE' cat; <<"TWO" cat
	one
	ONE
two
TWO

FROM scratch
MAINTAINER Somebody <somebody@example.com>
COPY --from=build --chown=1000:$GROUP --chmod=0755 --link a* "b c" /to/
COPY ["a b", "/x y"]
COPY <<config.ini <<'raw' /etc/
key=$VALUE
config.ini
key=$VALUE
raw
ADD --checksum=sha256:0000 https://example.com/a.tar /
WORKDIR /a b
USER $USER:staff
EXPOSE 80 443/tcp $PORTS 8000-8010/udp
VOLUME /data /more
VOLUME ["/one more"]
STOPSIGNAL SIGINT
SHELL ["/bin/ash", "-e", "-c"]
HEALTHCHECK --interval=1m30s --timeout=3s --retries=5 CMD wget -q localhost
HEALTHCHECK NONE
ONBUILD RUN echo later
ENTRYPOINT ["/entry"]
CMD []
CMD run me
