import Lab

/// A headless Chromium in a host, driven by its DevTools protocol.
final class Browser: Sendable {
    private let process: HostProcess

    /// Starts it; it is ready when this returns.
    ///
    /// - Parameter options: of Chromium's command line, besides those that make it headless.
    init(in host: Host, options: [String] = []) async throws {
        process = try host.spawn(["/usr/bin/python3", "-uc", Browser.program] + options, input: true)
        _ = try await process.line(containing: "ok ready", timeout: .seconds(60))
    }

    /// Gives a command and waits for its answer.
    ///
    ///     view WIDTH HEIGHT light|dark desk|phone    goto URL    js EXPRESSION (its value as JSON)
    ///     until EXPRESSION (is true, within 20 s)    key NAME    move X Y    shot FILE    errors (of the console)
    @discardableResult
    func must(_ command: String) async throws -> String {
        let before = process.lines.count
        try process.write(command + "\n")
        let answer = try await process.line(containing: "", skipping: before, timeout: .seconds(60))
        guard answer.hasPrefix("ok") else { throw LabError(command, detail: answer) }
        return String(answer.dropFirst(3))
    }

    func close() { process.terminate() }

    private static let program = """
        import asyncio, base64, json, os, re, shutil, signal, sys, tempfile
        import websockets

        async def main():
            home = tempfile.mkdtemp(prefix='braid-browser-')
            browser = await asyncio.create_subprocess_exec(
                'chromium', '--headless=new', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', '--disable-dev-shm-usage',
                '--disable-background-networking', '--disable-component-update', '--no-first-run', '--force-color-profile=srgb',
                '--remote-debugging-port=0', '--user-data-dir=' + home, *sys.argv[1:], 'about:blank',
                stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE, env=dict(os.environ, HOME=home))
            try:
                while True:
                    line = (await browser.stderr.readline()).decode()
                    if not line: raise SystemExit('chromium ended')
                    found = re.search(r'DevTools listening on (ws://\\S+)', line)
                    if found: break
                drain = asyncio.create_task(browser.stderr.read())
                async with websockets.connect(found[1], max_size=None) as socket:
                    await Session(socket).run()
            finally:
                browser.kill()
                await browser.wait()
                shutil.rmtree(home, ignore_errors=True)

        class Session:
            def __init__(self, socket):
                self.socket, self.number, self.waiting, self.console, self.session = socket, 0, {}, [], None

            async def call(self, method, **params):
                self.number += 1
                message = {'id': self.number, 'method': method, 'params': params}
                if self.session: message['sessionId'] = self.session
                answer = self.waiting[self.number] = asyncio.get_running_loop().create_future()
                await self.socket.send(json.dumps(message))
                return await asyncio.wait_for(answer, 30)

            async def read(self):
                async for text in self.socket:
                    message = json.loads(text)
                    if 'id' in message:
                        answer = self.waiting.pop(message['id'])
                        if 'error' in message: answer.set_exception(RuntimeError(message['error']['message']))
                        else: answer.set_result(message['result'])
                    elif message['method'] == 'Runtime.exceptionThrown':
                        self.console.append('exception: ' + json.dumps(message['params']['exceptionDetails'])[:600])
                    elif message['method'] == 'Runtime.consoleAPICalled' and message['params']['type'] in ('error', 'warning', 'assert'):
                        self.console.append('console: ' + json.dumps(message['params']['args'])[:600])
                    elif message['method'] == 'Log.entryAdded' and message['params']['entry']['level'] in ('error', 'warning'):
                        self.console.append('log: ' + message['params']['entry'].get('text', '') + ' ' + message['params']['entry'].get('url', ''))

            async def run(self):
                reader = asyncio.create_task(self.read())
                target = (await self.call('Target.createTarget', url='about:blank'))['targetId']
                self.session = (await self.call('Target.attachToTarget', targetId=target, flatten=True))['sessionId']
                for domain in ('Page', 'Runtime', 'Log', 'Network'): await self.call(domain + '.enable')
                print('ok ready', flush=True)
                lines = asyncio.StreamReader()
                await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
                while line := (await lines.readline()).decode().strip():
                    word, _, rest = line.partition(' ')
                    try: answer = await getattr(self, word)(rest)
                    except Exception as error: print('failed', repr(error).replace('\\n', ' ')[:500], flush=True)
                    else: print('ok', str(answer or '').replace('\\n', ' '), flush=True)
                reader.cancel()

            async def view(self, rest):
                width, height, scheme, kind = rest.split()
                await self.call('Emulation.setDeviceMetricsOverride', width=int(width), height=int(height), deviceScaleFactor=2 if kind == 'phone' else 1, mobile=kind == 'phone')
                await self.call('Emulation.setEmulatedMedia', features=[{'name': 'prefers-color-scheme', 'value': scheme}])

            async def goto(self, url):
                result = await self.call('Page.navigate', url=url)
                return result.get('errorText', '')

            async def js(self, text):
                result = await self.call('Runtime.evaluate', expression=text, awaitPromise=True, returnByValue=True)
                if 'exceptionDetails' in result: raise RuntimeError(json.dumps(result['exceptionDetails'])[:400])
                return json.dumps(result['result'].get('value'))

            async def until(self, text):
                for _ in range(200):
                    if await self.js(text) == 'true': return
                    await asyncio.sleep(0.1)
                raise RuntimeError('not within 20 s: ' + text)

            async def key(self, name):
                await self.call('Input.dispatchKeyEvent', type='keyDown', key=name, code=name)
                await self.call('Input.dispatchKeyEvent', type='keyUp', key=name, code=name)

            async def move(self, rest):
                x, y = rest.split()
                await self.call('Input.dispatchMouseEvent', type='mouseMoved', x=float(x), y=float(y))

            async def shot(self, file):
                height = int(await self.js('document.documentElement.scrollHeight'))
                metrics = await self.call('Page.getLayoutMetrics')
                size = metrics['cssContentSize']
                image = await self.call('Page.captureScreenshot', captureBeyondViewport=True, clip={'x': 0, 'y': 0, 'width': size['width'], 'height': size['height'], 'scale': 1})
                with open(file, 'wb') as out: out.write(base64.b64decode(image['data']))

            async def errors(self, rest):
                found, self.console = self.console, []
                return ' | '.join(found)

        asyncio.run(main())
        """
}
