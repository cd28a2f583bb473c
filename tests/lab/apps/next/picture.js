import sharp from 'sharp';

export const dynamic = 'force-dynamic';

export async function GET() {
  const create = { width: 400, height: 200, channels: 3, background: '#336699' };
  const picture = await sharp({ create }).png().toBuffer();
  return new Response(picture, { headers: { 'content-type': 'image/png' } });
}
