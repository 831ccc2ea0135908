package cli

import (
	"context"
	"flag"
	"log/slog"

	"sluice/engine"
	"sluice/server"
	"sluice/server/lsp"
)

func lspCommand() command {
	return command{
		name: "lsp", most: 0,
		about: "Helps editors with flow files: it is their language server.",
		more: `Editors start it in the folder of the project and speak the Language Server
Protocol with it over standard input and output. It tells problems while you
type, completes, explains, jumps to where names come from and renames them.
What it has to say for itself goes to standard error.

Neovim:

  vim.lsp.config("sluice", {cmd = {"sluice", "lsp"}, filetypes = {"yaml"}, root_markers = {"sluice.yaml", "flows"}})
  vim.lsp.enable("sluice")

Helix, in languages.toml:

  language-server.sluice = {command = "sluice", args = ["lsp"]}
  language = [{name = "yaml", language-servers = ["sluice"]}]
`,
		define: func(flags *flag.FlagSet) func(context.Context, *call) error {
			flags.Bool("stdio", true, "Speak over standard input and output. There is no other way; some editors say it all the same.")
			return func(ctx context.Context, c *call) error { return c.lsp(ctx) }
		},
	}
}

func (c *call) lsp(ctx context.Context) error {
	log := slog.New(slog.NewTextHandler(c.Stderr, nil))
	open := func(root string) (string, engine.Env, error) {
		here := *c
		if root != "" {
			here.Dir = root
		}
		conf, problems, err := here.configure(nil)
		if err != nil {
			return "", engine.Env{}, err
		}
		for _, p := range problems { // settings that are half written are no reason to leave the author alone
			log.Warn(p.String())
		}
		return server.Language(conf, append([]server.Option{server.Getenv(c.Getenv)}, c.opts...)...)
	}
	return lsp.Serve(ctx, c.Stdin, c.Stdout, open, log)
}
