#!/bin/sh
echo "$GREETING whoever is in $(pwd)"
