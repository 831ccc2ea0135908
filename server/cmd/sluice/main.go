// Command sluice serves flows over HTTP. A server with nodes of your own is a
// copy of this file that names them:
//
//	func main() { cli.Run(server.With(role.Require)) }
package main

import "sluice/server/cli"

func main() { cli.Run() }
