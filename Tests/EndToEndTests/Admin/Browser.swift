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
    ///     until EXPRESSION (is true, within 20 s)    errors (of the console)
    ///     key NAME    type TEXT    tab SELECTOR (presses Tab until the focus is there)    move X Y (the mouse)
    ///     unnamed (controls without a name for screen readers, and the number of the others)
    ///     shot FILE (the whole page)    screen FILE (what is to be seen, with what hovers)
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
                for domain in ('Page', 'Runtime', 'Log', 'Network', 'Accessibility'): await self.call(domain + '.enable')
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

            async def press(self, key, code, number, text):
                event = dict(key=key, code=code, windowsVirtualKeyCode=number, nativeVirtualKeyCode=number)
                await self.call('Input.dispatchKeyEvent', type='keyDown' if text else 'rawKeyDown', text=text, **event)
                await self.call('Input.dispatchKeyEvent', type='keyUp', **event)

            async def key(self, name):
                number = {'Tab': 9, 'Enter': 13, 'Escape': 27, 'Space': 32, 'End': 35, 'Home': 36, 'ArrowLeft': 37,
                    'ArrowRight': 39, 'Backspace': 8}[name]
                text = {'Enter': '\\r', 'Space': ' '}.get(name, '')
                await self.press(' ' if name == 'Space' else name, name, number, text)

            async def type(self, text):
                for letter in text: await self.press(letter, 'Key' + letter.upper(), ord(letter.upper()), letter)

            async def tab(self, selector):
                for _ in range(100):
                    await self.key('Tab')
                    if await self.js('document.activeElement.matches(' + json.dumps(selector) + ')') == 'true': return
                raise RuntimeError('the focus never came to ' + selector)

            async def unnamed(self, rest):
                named, found = 0, []
                for node in (await self.call('Accessibility.getFullAXTree'))['nodes']:
                    role = node.get('role', {}).get('value', '')
                    focusable = any(each['name'] == 'focusable' and each['value'].get('value') for each in node.get('properties', []))
                    if node.get('ignored') or role == 'RootWebArea': continue
                    if not focusable and role not in ('button', 'link', 'searchbox', 'textbox', 'image', 'img'): continue
                    if node.get('name', {}).get('value', '').strip(): named += 1
                    else: found.append(role)
                return json.dumps({'named': named, 'unnamed': found})

            async def move(self, rest):
                x, y = rest.split()
                await self.call('Input.dispatchMouseEvent', type='mouseMoved', x=float(x), y=float(y))

            async def shot(self, file):
                metrics = await self.call('Page.getLayoutMetrics')
                size = metrics['cssContentSize']
                image = await self.call('Page.captureScreenshot', captureBeyondViewport=True, clip={'x': 0, 'y': 0, 'width': size['width'], 'height': size['height'], 'scale': 1})
                with open(file, 'wb') as out: out.write(base64.b64decode(image['data']))

            async def screen(self, file):
                image = await self.call('Page.captureScreenshot')
                with open(file, 'wb') as out: out.write(base64.b64decode(image['data']))

            async def errors(self, rest):
                found, self.console = self.console, []
                return ' | '.join(found)

        asyncio.run(main())
        """
}
