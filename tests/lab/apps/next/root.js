export const dynamic = 'force-dynamic';

export function GET(request) {
  const id = request.headers.get('x-request-id') || '';
  return new Response(`${id}\n`, { headers: { 'x-request-id': id, 'x-pid': String(process.pid) } });
}
