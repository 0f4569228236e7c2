package main

import (
	_ "github.com/a-h/templ"
	_ "github.com/casbin/casbin/v2"
	_ "github.com/danielgtaylor/huma/v2"
	_ "github.com/danielgtaylor/huma/v2/adapters/humafiber"
	_ "github.com/gofiber/fiber/v2"
	_ "github.com/jmoiron/sqlx"
	_ "github.com/lib/pq"
	_ "github.com/pressly/goose/v3"
	_ "github.com/riverqueue/river"
	_ "github.com/riverqueue/river/riverdriver/riverdatabasesql"
	_ "github.com/riverqueue/river/rivermigrate"
	_ "github.com/xuri/excelize/v2"
	_ "github.com/wneessen/go-mail"
	_ "github.com/yuin/goldmark"
	_ "github.com/microcosm-cc/bluemonday"
	_ "github.com/go-playground/form/v4"
	_ "github.com/alecthomas/kong"
	_ "github.com/caarlos0/env/v11"
)

func main() {}
