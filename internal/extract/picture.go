package extract

import (
	"bytes"
	"image"
	"image/color"
	_ "image/gif" // formats that are read
	"image/jpeg"
	"image/png"

	"golang.org/x/image/draw"
	_ "golang.org/x/image/webp" // formats that are read
)

// Limits of pictures.
const (
	maxSide   = 4096
	maxPixels = 192 << 20 // bytes of an image once it is decoded
)

// readImage scales an image. How large it is is known before it is decoded.
func readImage(in *source, w Wish, a *answer) error {
	if w.Thumbnail <= 0 && (w.First > 1 || w.Last < 1) {
		return nil
	}
	c, _, err := image.DecodeConfig(in.reader())
	if err != nil {
		return broken("This image is damaged.")
	}
	a.pages = 1
	deep := int64(4)
	switch c.ColorModel {
	case color.NRGBA64Model, color.RGBA64Model:
		deep = 8
	case color.Gray16Model:
		deep = 2
	}
	if c.Width <= 0 || c.Height <= 0 || int64(c.Width)*int64(c.Height) > maxPixels/deep {
		return tooLarge("This image has %d × %d pixels, more than are shown.", c.Width, c.Height)
	}
	whole, _, err := image.Decode(in.reader())
	if err != nil {
		return broken("This image is damaged.")
	}
	if w.Thumbnail > 0 {
		if err := sendPicture(scaled(whole, w.Thumbnail), 0, a); err != nil {
			return err
		}
	}
	if w.First <= 1 && w.Last >= 1 {
		return sendPicture(scaled(whole, w.Width), 1, a)
	}
	return nil
}

// scaled is a picture on white, at most width wide and three times as high.
func scaled(from image.Image, width int) image.Image {
	b := from.Bounds()
	width = min(max(width, 16), maxSide)
	factor := min(1, float64(width)/float64(b.Dx()), float64(min(3*width, maxSide))/float64(b.Dy()))
	to := image.NewRGBA(image.Rect(0, 0, max(1, int(float64(b.Dx())*factor)), max(1, int(float64(b.Dy())*factor))))
	draw.Draw(to, to.Bounds(), image.White, image.Point{}, draw.Src)
	draw.BiLinear.Scale(to, to.Bounds(), from, b, draw.Over, nil)
	return to
}

// sendPicture encodes a picture as is best for it: a page of text in sixteen
// grays, which is small and sharp; what has colors as JPEG.
func sendPicture(m image.Image, page int, a *answer) error {
	b := m.Bounds()
	p := Picture{Page: page, Width: b.Dx(), Height: b.Dy()}
	var out bytes.Buffer
	var err error
	if g := grays(m); g != nil {
		e := png.Encoder{CompressionLevel: png.BestCompression}
		err = e.Encode(&out, g)
	} else {
		err = jpeg.Encode(&out, m, &jpeg.Options{Quality: 82})
	}
	if err != nil {
		return err
	}
	p.Data = out.Bytes()
	return a.picture(p)
}

var sixteen = func() color.Palette {
	var p color.Palette
	for i := range 16 {
		p = append(p, color.Gray{uint8(i * 17)})
	}
	return p
}()

// grays is a picture in sixteen grays, nil if it has colors or is a photograph.
func grays(m image.Image) *image.Paletted {
	rgba, ok := m.(*image.RGBA)
	if !ok {
		return nil
	}
	b := rgba.Bounds()
	out := image.NewPaletted(b, sixteen)
	middle := 0
	for y := range b.Dy() {
		line, to := rgba.Pix[y*rgba.Stride:], out.Pix[y*out.Stride:]
		for x := range b.Dx() {
			red, green, blue := line[4*x], line[4*x+1], line[4*x+2]
			if max(red, green, blue)-min(red, green, blue) > 8 {
				return nil
			}
			g := (int(green) + 8) / 17
			if g > 1 && g < 14 {
				middle++
			}
			to[x] = uint8(g)
		}
	}
	if middle*4 > b.Dx()*b.Dy() {
		return nil
	}
	return out
}
